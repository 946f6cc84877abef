"""What the parsers of all commands have in common."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from .answers import Run

EXITS = (
    "exit status: 0 done, 1 refused or failed (stderr says why), 2 wrong usage, 3 no master runs, "
    "78 the configuration is wrong"
)


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


def at_least(least: int) -> Callable[[str], int]:
    """Reads an argument that is a whole number, no smaller than that."""

    def number(text: str) -> int:
        found = int(text)
        if found < least:
            raise argparse.ArgumentTypeError(f"must be {least} or more")
        return found

    return number
