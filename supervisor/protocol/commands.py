"""Every command of a fleet, in one table; the control server and the command line are built from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Protocol

from .verbs import VERBS, Verb
from .version import VERSION


class Fleet(Protocol):
    """The master, as commands see it."""

    def status(self, names: Sequence[str]) -> dict[str, Any]:
        """State of all jobs, or of some, and of the master."""

    def metrics(self) -> dict[str, Any]:
        """Numbers of all jobs."""

    def reload(self, names: Sequence[str], dry_run: bool) -> dict[str, Any]:
        """Read the files of all jobs again, or of some."""

    def ask(self, verb: Verb, names: Sequence[str], keep: bool = False) -> dict[str, Any]:
        """Do to jobs what a verb says, and remember it over restarts if that is wanted."""

    def rotate(self, names: Sequence[str]) -> dict[str, Any]:
        """Rotate all logs, or those of some jobs."""

    def retired(self, names: Sequence[str]) -> dict[str, Any]:
        """Take note that jobs have left nothing behind."""

    def stop(self) -> dict[str, Any]:
        """Begin to stop the fleet."""


NAME_LIMIT = 256
"""Characters of a name or pattern."""


class ArgumentType(Enum):
    """What the value of an argument is."""

    NAMES = "a list of strings of at most 256 characters"
    FLAG = "true or false"

    def fits(self, value: object) -> bool:
        """Whether a value from the socket is of this type."""
        if self is ArgumentType.FLAG:
            return isinstance(value, bool)
        # The time that a pattern takes grows with the square of its length.
        return isinstance(value, list) and all(
            isinstance(each, str) and len(each) <= NAME_LIMIT for each in value
        )


@dataclass(frozen=True)
class Argument:
    """One argument of a command.

    Attributes:
        name: its name on the socket; on the command line it is a switch, or a word in capitals.
        help: what it means.
        type: the type of its value.
        required: whether it must be given and not be empty.
    """

    name: str
    help: str
    type: ArgumentType = ArgumentType.NAMES
    required: bool = False


@dataclass(frozen=True)
class Command:
    """One thing that a master can be asked to do.

    Attributes:
        name: its name.
        help: what it does, in one sentence.
        example: a line of shell that shows it.
        handler: carries it out; gets the fleet and the arguments given.
        arguments: those that it takes.
        changes: whether it changes something; then it is logged with the peer's uid.
        people: whether the command line has it too.
    """

    name: str
    help: str
    example: str
    handler: Callable[[Fleet, Mapping[str, Any]], Any]
    arguments: tuple[Argument, ...] = ()
    changes: bool = False
    people: bool = True


_NAMES = Argument("jobs", "name of a job, or a pattern in quotes such as 'orders*'", required=True)


_KEEP = Argument("keep", "hold them after a restart of the fleet, too", ArgumentType.FLAG)


def _by_name(verb: Verb) -> Command:
    return Command(
        verb.command,
        verb.help,
        f"tdsup {verb.command} orders 'clicks*'",
        lambda fleet, arguments: fleet.ask(verb, arguments["jobs"], arguments.get("keep", False)),
        arguments=(_NAMES, *((_KEEP,) if verb.can_keep else ())),
        changes=True,
    )


COMMANDS = {
    command.name: command
    for command in (
        Command(
            "status",
            "Show what jobs are doing, and why.",
            "tdsup status --watch",
            lambda fleet, arguments: fleet.status(arguments.get("jobs", ())),
            arguments=(replace(_NAMES, required=False),),
        ),
        Command(
            "reload",
            "Read the job files again: new ones start, vanished ones stop, changed ones restart.",
            "tdsup reload --dry-run",
            lambda fleet, arguments: fleet.reload(arguments.get("jobs", ()), arguments.get("dry_run", False)),
            arguments=(
                Argument("jobs", "only these jobs (patterns too); they restart even if nothing has changed"),
                Argument("dry_run", "only tell what would change", ArgumentType.FLAG),
            ),
            changes=True,
        ),
        *(_by_name(verb) for verb in VERBS),
        Command(
            "rotate",
            "Begin a new log file, for the master, its children and all jobs, or for some jobs.",
            "tdsup rotate",
            lambda fleet, arguments: fleet.rotate(arguments.get("jobs", ())),
            arguments=(replace(_NAMES, required=False),),
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
        Command(
            "retired",
            "Take note that jobs of these names have left nothing behind (for `tdsup retire`).",
            """echo '{"cmd":"retired","args":{"jobs":["orders"]}}' | nc -U run/tdsup.sock""",
            lambda fleet, arguments: fleet.retired(arguments["jobs"]),
            arguments=(Argument("jobs", "names of jobs", required=True),),
            changes=True,
            people=False,
        ),
    )
}
