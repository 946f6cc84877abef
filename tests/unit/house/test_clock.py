"""Clock jumps are harmless, because nothing asks the wall clock."""

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


def test_nothing_asks_the_wall_clock() -> None:
    """Only the monotonic clock decides anything."""
    asked = [
        (path.name, node.lineno)
        for path in SUPERVISOR.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and (node.value.id, node.attr) in WALL_CLOCKS
    ]
    assert not asked
