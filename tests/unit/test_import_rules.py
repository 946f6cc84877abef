"""The house rules on imports (docs/design.md)."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

PACKAGES = ("jobtype", "dispatcher", "supervisor", "sandbox")

CONTRACT = "tdsup.jobtype"
"""What both sides of the contract import, as it is: nothing below it."""

FORBIDDEN = {
    "jobtype": {"tdsup", "psycopg2"},
    # A job knows nothing of how it is run.
    "dispatcher": {"configparser", "signal", "multiprocessing", "subprocess", "tdsup"},
    # Job types are found by entry point.
    "supervisor": {"tdsup", "psycopg2"},
    "sandbox": {"tdsup"},
}
"""Modules that a package never imports; inside a package imports are relative, hence no tdsup."""

ONLY_IN = {
    # The master must stay small and have neither thread nor event loop; these run in children.
    "prometheus_client": ("supervisor/web/",),
    "uvicorn": ("supervisor/web/",),
    "asyncio": ("supervisor/web/",),
    "threading": ("supervisor/lifeline.py", "supervisor/worker.py", "supervisor/channel.py"),
}
"""Modules that only these files, or those of these folders, of the supervisor import."""


def imported(source: str) -> Iterator[str]:
    """Top-level names of the absolute imports anywhere in a module, and how far relative ones climb."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level or module != CONTRACT:
                yield "." * node.level or module.partition(".")[0]


def faults(path: str, source: str) -> list[str]:
    """What a module imports against the rules."""
    package = path.partition("/")[0]
    return [
        name
        for name in imported(source)
        if name in FORBIDDEN[package]
        or name.startswith("." * (path.count("/") + 1))
        or (package == "supervisor" and name in ONLY_IN and not path.startswith(ONLY_IN[name]))
    ]


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_keep_to_the_table(package: str) -> None:
    """No module imports what its package may not."""
    found = {
        path.name: wrong
        for path in (ROOT / package).rglob("*.py")
        if (wrong := faults(path.relative_to(ROOT).as_posix(), path.read_text()))
    }
    assert not found


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("dispatcher/x.py", "def f():\n    from tdsup.supervisor import job"),
        ("dispatcher/x.py", "import signal"),
        ("dispatcher/x.py", "from ..supervisor import job"),
        ("supervisor/web/x.py", "from ...dispatcher import job"),
        ("supervisor/x.py", "import tdsup.dispatcher.job"),
        ("supervisor/master.py", "import threading"),
        ("sandbox/x.py", "from tdsup import dispatcher"),
    ],
)
def test_a_planted_fault_is_found(path: str, source: str) -> None:
    """The rules see imports of every form."""
    assert faults(path, source)


def test_the_master_loads_no_http_server() -> None:
    """What only the web child imports is imported after the fork: it costs no other process memory."""
    script = "import sys, tdsup.supervisor.service; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not {"uvicorn", "asyncio", "prometheus_client", "psycopg2"} & set(done.stdout.split())
