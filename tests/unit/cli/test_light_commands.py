"""The command line: every command can be run, and a light one imports little."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module

import pytest
from tdsup.supervisor.cli.tdsup import make_parser

HEAVY = {"pydantic", "psycopg2", "yaml", "logging", "shtab", "importlib.metadata", "multiprocessing"}
"""Modules that take longer to import than a light command may take."""


def commands() -> Iterator[argparse.ArgumentParser]:
    """The parser of each command."""
    for argument in make_parser()._actions:  # noqa: SLF001 (argparse has no other list of them)
        if isinstance(argument.choices, dict):
            yield from argument.choices.values()


@pytest.mark.parametrize("command", [*commands()], ids=lambda command: str(command.prog))
def test_what_runs_a_command_is_there(command: argparse.ArgumentParser) -> None:
    """Though it is imported only when the command is run."""
    run = command.get_default("run")
    module, _colon, function = run.__name__.partition(":")
    if function:
        assert callable(getattr(import_module(module, "tdsup.supervisor.cli"), function))
    else:
        assert callable(run)


@pytest.mark.parametrize("words", [["status"], ["--help"], ["--version"], ["reload"]])
def test_a_light_command_imports_little(words: list[str]) -> None:
    """None of what takes long, so that a prompt or a completion is not kept waiting."""
    script = (
        "import sys, tdsup.supervisor.cli.tdsup as t\n"
        f"try: t.main({words!r})\n"
        "except SystemExit: pass\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd="/")
    assert not HEAVY & set(done.stderr.split())
