"""The control socket: its commands, its lock, its server and its client."""

from .client import Client
from .commands import COMMANDS, VERSION, Argument, ArgumentType, Command, serve
from .lock import Lock, wait_free
from .peer import Access
from .server import ControlServer
from .verbs import VERBS, Verb

__all__ = [
    "COMMANDS",
    "VERBS",
    "VERSION",
    "Access",
    "Argument",
    "ArgumentType",
    "Client",
    "Command",
    "ControlServer",
    "Lock",
    "Verb",
    "serve",
    "wait_free",
]
