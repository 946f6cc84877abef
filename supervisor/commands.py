"""Every command of a fleet, in one table; control server, client and command line come from it."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.metadata import version
from typing import Any, Protocol

from .errors import BadRequest

_log = logging.getLogger("tdsup")

VERSION = version("tdsup")


class Fleet(Protocol):
    """What commands are carried out on: the master."""

    def status(self) -> dict[str, Any]:
        """State of all jobs and of the master."""

    def metrics(self) -> dict[str, Any]:
        """Numbers of all jobs."""

    def reload(self, job: str | None) -> dict[str, Any]:
        """Read the files of all jobs, or of one, again."""

    def stop(self) -> dict[str, Any]:
        """Begin to stop the fleet."""


@dataclass(frozen=True)
class Argument:
    """One argument of a command; its value is a string.

    Attributes:
        name: how it is called on the socket and in the help.
        help: what it means.
    """

    name: str
    help: str


@dataclass(frozen=True)
class Command:
    """One thing that a master can be asked for.

    Attributes:
        name: how it is called.
        help: what it does, in one sentence.
        example: a line of shell that shows it.
        handler: carries it out; gets the fleet and the arguments that were given.
        arguments: those that it takes; each may be left out.
        changes: whether it changes something, and hence is logged with the peer's uid.
        people: whether it is a command of the command line too.
    """

    name: str
    help: str
    example: str
    handler: Callable[[Fleet, Mapping[str, str]], Any]
    arguments: tuple[Argument, ...] = ()
    changes: bool = False
    people: bool = True


COMMANDS = {
    command.name: command
    for command in (
        Command(
            "status",
            "Show what every job is doing.",
            "tdsup status --json",
            lambda fleet, _arguments: fleet.status(),
        ),
        Command(
            "reload",
            "Read the job files again: new ones start, vanished ones stop, changed ones restart.",
            "tdsup reload orders",
            lambda fleet, arguments: fleet.reload(arguments.get("job")),
            arguments=(Argument("job", "only this job; it restarts even if its file is the same"),),
            changes=True,
        ),
        Command(
            "stop",
            "Stop all jobs at the end of their batches, then the master.",
            "tdsup stop",
            lambda fleet, _arguments: fleet.stop(),
            changes=True,
        ),
        Command(
            "version",
            "Show the version of the master that runs.",
            "tdsup version",
            lambda _fleet, _arguments: {"version": VERSION},
        ),
        Command(
            "metrics",
            "Give the numbers of all jobs (for the web child).",
            """echo '{"cmd":"metrics"}' | nc -U run/tdsup.sock""",
            lambda fleet, _arguments: fleet.metrics(),
            people=False,
        ),
    )
}


def serve(fleet: Fleet, name: str, arguments: Mapping[str, Any], uid: int) -> Any:
    """Carry out a command that came over the socket.

    Raises:
        TdsupError: the request is not understood, or the fleet refuses.
    """
    command = COMMANDS.get(name)
    if command is None:
        near = get_close_matches(name, COMMANDS, n=1)
        hint = f", did you mean {near[0]}?" if near else f" (there are: {', '.join(COMMANDS)})"
        raise BadRequest(f"cannot serve {name[:40]!r}: no such command{hint}")
    known = {argument.name for argument in command.arguments}
    for key, value in arguments.items():
        if key not in known:
            raise BadRequest(f"cannot {name}: no such argument: {key[:40]!r}")
        if not isinstance(value, str):
            raise BadRequest(f"cannot {name}: {key} is not a string")
    if command.changes:
        # An argument is whatever a client sent; as JSON it cannot look like a line of the log.
        _log.info("uid %d asks: %s %s", uid, name, json.dumps(arguments))
    return command.handler(fleet, arguments)
