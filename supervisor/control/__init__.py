"""The control socket: its commands, its server and its client."""

from .client import Client
from .commands import COMMANDS, VERBS, VERSION, Argument, Command, Kind, serve
from .server import ControlServer

__all__ = [
    "COMMANDS",
    "VERBS",
    "VERSION",
    "Argument",
    "Client",
    "Command",
    "ControlServer",
    "Kind",
    "serve",
]
