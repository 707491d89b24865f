"""A Telegram Bot API server with simulated people and ordered faults. Start at ``Simulator`` and ``serve``."""

from .client import PeopleClient
from .errors import ApiError, Refused
from .events import Event
from .faults import Fault
from .groups import Group
from .people import Person
from .people_api import create_people_app, people_router
from .server import Server, create_app, run, serve
from .simulator import Simulator
from .state import Bot
from .views import Answer, SeenEvent, SeenMessage, SeenTopic, seen, seen_event

__all__ = [
    "Answer",
    "ApiError",
    "Bot",
    "Event",
    "Fault",
    "Group",
    "PeopleClient",
    "Person",
    "Refused",
    "SeenEvent",
    "SeenMessage",
    "SeenTopic",
    "Server",
    "Simulator",
    "create_app",
    "create_people_app",
    "people_router",
    "run",
    "seen",
    "seen_event",
    "serve",
]
