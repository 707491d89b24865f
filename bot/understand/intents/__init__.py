"""Which of an assistant's intents a message has, learned from a few examples of each."""

from bot.understand.intents.model import Guess, Intents, Judged
from bot.understand.intents.training import train

__all__ = ["Guess", "Intents", "Judged", "train"]
