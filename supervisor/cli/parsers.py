"""What the parsers of all commands have in common."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from importlib import import_module
from typing import Any

from . import completion

Run = Callable[[argparse.Namespace], int]
"""Carries out a command of the command line; returns the exit status."""

EXITS = (
    "exit status: 0 done, 1 refused or failed (stderr says why), 2 wrong usage, 3 no master runs, "
    "78 the configuration is wrong"
)


def later(module: str, function: str) -> Run:
    """What runs a command; its module is imported only then, as another command does not need it.

    Args:
        module: relative to this folder.
        function: its `Run`.
    """

    def run(options: argparse.Namespace) -> int:
        code: int = getattr(import_module(module, __package__), function)(options)
        return code

    run.__name__ = f"{module}:{function}"
    return run


def add_command(commands: Any, name: str, text: str, example: str, run: Run) -> argparse.ArgumentParser:
    """Add a command with its help, and what runs it."""
    added: argparse.ArgumentParser = commands.add_parser(
        name,
        help=text,
        description=text,
        epilog=f"example: {example}\n\n{EXITS}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    added.set_defaults(run=run)
    return added


def add_names(parser: argparse.ArgumentParser, number: str | None, text: str) -> None:
    """Add names of jobs as arguments; without a number, it is one name."""
    names = parser.add_argument("jobs" if number else "job", metavar="JOB", nargs=number, help=text)
    completion.offer(names, completion.JOBS)


def at_least(least: int) -> Callable[[str], int]:
    """Reads an argument that is a whole number, no smaller than that."""

    def number(text: str) -> int:
        found = int(text)
        if found < least:
            raise argparse.ArgumentTypeError(f"must be {least} or more")
        return found

    return number
