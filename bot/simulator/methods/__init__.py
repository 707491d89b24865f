"""The Bot API's methods, a module per family; importing this registers them all."""

from . import changing, chats, media, profile, receiving, sending, topics
from .common import HANDLERS, WAITING, Call

__all__ = [
    "HANDLERS",
    "WAITING",
    "Call",
    "changing",
    "chats",
    "media",
    "profile",
    "receiving",
    "sending",
    "topics",
]
