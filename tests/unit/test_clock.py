"""Clock jumps are harmless, because nothing asks the wall clock."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SUPERVISOR = Path(__file__).parents[2] / "supervisor"

WALL_CLOCKS = {
    ("time", "time"),
    ("time", "time_ns"),
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("date", "today"),
}

BANNED = {
    "asyncio": {"child.py", "connection.py", "link.py", "observer.py"},
    "threading": {"channel.py", "lifeline.py", "worker.py"},
    "datetime": set[str](),
}
"""Modules by the files that may import them: no thread and no second loop in the master."""


@pytest.mark.parametrize("path", sorted(SUPERVISOR.rglob("*.py")), ids=lambda path: path.name)
def test_no_wall_clock_and_no_thread(path: Path) -> None:
    """Only the monotonic clock decides anything; only children may have a thread or a loop of asyncio."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            assert (node.value.id, node.attr) not in WALL_CLOCKS, node.lineno
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
        for name in names:
            assert name not in BANNED or path.name in BANNED[name], name
