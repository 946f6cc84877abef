"""Clock jumps are harmless: only what compares with the time of a file asks the wall clock."""

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

COMPARES_WITH_A_FILE = ("pidfile.py",)
"""Files have the wall clock's time; a pid file is written without a lock by programs that are not ours."""


def test_nothing_asks_the_wall_clock() -> None:
    """Only the monotonic clock decides anything."""
    asked = [
        (path.name, node.lineno)
        for path in SUPERVISOR.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if path.name not in COMPARES_WITH_A_FILE
        and isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and (node.value.id, node.attr) in WALL_CLOCKS
    ]
    assert not asked
