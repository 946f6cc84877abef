"""The command line of what a master is asked."""

from __future__ import annotations

import argparse
from typing import Any

from ..protocol import COMMANDS, VERBS, Argument, ArgumentType
from . import completion
from .asking.status import URGENCY
from .parsers import add_command, later

SHOWS = {
    "status": "status",
    "reload": "reload",
    "rotate": "rotate",
    "stop": "stop",
    "version": "version",
    **dict.fromkeys((verb.command for verb in VERBS), "steer"),
}
"""What of `asking.answers` carries out a command and shows the answer."""


def add_master_commands(commands: Any) -> None:
    """Add those of the table of commands that are for people."""
    for command in COMMANDS.values():
        if command.people:
            run = later(".asking.answers", SHOWS[command.name])
            added = add_command(commands, command.name, command.help, command.example, run)
            added.set_defaults(command=command)
            for argument in command.arguments:
                _add_argument(added, argument)
            if command.name == "status":
                _add_forms(added)


def _add_argument(parser: argparse.ArgumentParser, argument: Argument) -> None:
    """Add one argument of a command of the master."""
    if argument.type is ArgumentType.FLAG:
        parser.add_argument(
            f"--{argument.name.replace('_', '-')}",
            dest=argument.name,
            action="store_true",
            help=argument.help,
        )
    else:
        number = "+" if argument.required else "*"
        names = parser.add_argument(argument.name, metavar="JOB", nargs=number, help=argument.help)
        completion.offer(names, completion.JOBS)


def _add_forms(status: argparse.ArgumentParser) -> None:
    """Add how a status is shown, and of which jobs."""
    form = status.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="for programs; durations in seconds")
    form.add_argument("-w", "--watch", action="store_true", help="a live table, until Ctrl-C")
    form.add_argument(
        "--check",
        dest="judges",
        action="store_true",
        help="one line for Nagios and scripts, with the exit status: 0 all is well (also what is paused or "
        "stopped on purpose), 1 a job is in backoff or nobody works for it, 2 one is blocked, lags or has no "
        "ticks, or no master runs, 3 cannot tell",
    )
    status.add_argument(
        "--lag", metavar="SECONDS", type=float, help="with --check: the most lag of a job that is well"
    )
    status.add_argument(
        "--state",
        dest="states",
        action="append",
        choices=URGENCY,
        metavar="STATE",
        help=f"only jobs in that state; may be given again ({', '.join(URGENCY)})",
    )
