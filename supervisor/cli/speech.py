"""What a command says to its user."""

from __future__ import annotations

import argparse
import os
import sys

from tdsup.jobtype import printable

from ..errors import TdsupError


def say(text: str) -> None:
    """Print a line to the user.

    Raises:
        BrokenPipeError: nobody reads any more.
        TdsupError: the line cannot be written.
    """
    try:
        print(text, flush=True)  # noqa: T201 (a program speaks to its user)
    except BrokenPipeError:
        raise
    except OSError as error:
        # What is left in Python's buffer would fail again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        raise TdsupError(f"cannot write the answer: {error.strerror}") from error


def complain(text: str) -> None:
    """Tell the user about a fault, in one line."""
    print(printable(text), file=sys.stderr)  # noqa: T201 (a program speaks to its user)


def name_fleet(options: argparse.Namespace) -> None:
    """Tell in which directory's fleet something has changed, unless the command line says so itself."""
    if options.directory is None:
        say(f"fleet: {printable(os.getcwd())}")  # noqa: PTH109 (pathlib takes longer than all else)
