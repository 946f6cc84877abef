"""Clock jumps are harmless: only what compares with a file's time, or tells people, asks the wall clock."""

from __future__ import annotations

import ast
from pathlib import Path

SUPERVISOR = Path(__file__).parents[3] / "supervisor"

WALL_CLOCKS = {
    ("time", "time"),
    ("time", "time_ns"),
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("date", "today"),
}

NEEDS_IT = ("pidfile.py", "chronicle.py", "showjob.py")
"""A pid file has the wall clock's time and is written without a lock by programs that are not ours. What jobs
have done is told people with its time, over restarts of the machine."""


def test_nothing_asks_the_wall_clock() -> None:
    """Only the monotonic clock decides anything."""
    asked = [
        (path.name, node.lineno)
        for path in SUPERVISOR.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if path.name not in NEEDS_IT
        and isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and (node.value.id, node.attr) in WALL_CLOCKS
    ]
    assert not asked
