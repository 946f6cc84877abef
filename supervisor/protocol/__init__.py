"""Where a fleet is, what can be asked of it, and the asking; light, as every command needs it."""

from .client import Client
from .commands import COMMANDS, Argument, ArgumentType, Command, Fleet
from .directory import (
    ENVIRONMENT,
    FILE,
    JOBS,
    SOCKET,
    USUAL,
    control_socket,
    enter,
    lock_of,
    read_settings,
)
from .verbs import VERBS, Verb
from .version import VERSION

__all__ = [
    "COMMANDS",
    "ENVIRONMENT",
    "FILE",
    "JOBS",
    "SOCKET",
    "USUAL",
    "VERBS",
    "VERSION",
    "Argument",
    "ArgumentType",
    "Client",
    "Command",
    "Fleet",
    "Verb",
    "control_socket",
    "enter",
    "lock_of",
    "read_settings",
]
