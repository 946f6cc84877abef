"""The sizes that CONTRIBUTING.md names; what is larger says why."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

OURS = ("jobtype", "dispatcher", "supervisor", "sandbox", "tests", "bench", "script", "docs", "conf.d")
"""Folders that hold what we wrote."""

CODE = {".py", ".c", ".sql", ".js", ".css", ".html"}

FILE, FUNCTION, PARAMETERS, METHODS, FOLDER = 300, 40, 6, 15, 15
"""Lines of a file and of a function, parameters of a constructor, methods of a class, files of a folder.

The fields of a dataclass are not counted: they are its content.
"""

REASON = "Long: "
"""In a comment, followed by why: in the first three lines of a file; on a def or class, or right above it."""


def faults_of(path: str, text: str) -> Iterator[str]:
    """What is too large in a file, and gives no reason: where, and how large it is."""
    lines = text.splitlines()
    if len(lines) > FILE and not _has_reason(lines[:3]):
        yield f"{path}: {len(lines)} lines"
    if path.endswith(".py"):
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
                if not _has_reason(lines[max(0, first - 2) : node.body[0].lineno - 1]):
                    yield from (f"{path} {node.name}: {size}" for size in _sizes(node))


def _has_reason(lines: Sequence[str]) -> bool:
    return any(REASON in line for line in lines)


def _sizes(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> Iterator[str]:
    """Each size of a function or class that is over its limit."""
    if isinstance(node, ast.ClassDef):
        methods = sum(isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef) for each in node.body)
        if methods > METHODS:
            yield f"{methods} methods"
        return
    length = (node.end_lineno or node.lineno) - node.lineno + 1
    if length > FUNCTION:
        yield f"{length} lines"
    given = node.args
    named = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    parameters = len(named) - 1 + (given.vararg is not None) + (given.kwarg is not None)
    if node.name == "__init__" and parameters > PARAMETERS:
        yield f"{parameters} parameters"


def _files() -> Iterator[Path]:
    for folder in OURS:
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".so":
                yield path


def test_no_folder_lists_more_than_fifteen_files() -> None:
    """A listing is read at one glance."""
    counts = Counter(str(path.parent.relative_to(ROOT)) for path in _files())
    assert not {folder: count for folder, count in counts.items() if count > FOLDER}


def test_what_is_too_large_says_why() -> None:
    """Files, functions, constructors and classes."""
    faults = [
        fault
        for path in _files()
        if path.suffix in CODE
        for fault in faults_of(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8"))
    ]
    assert not faults, "\n".join(["too large, and no reason given:", *faults])


LONG = "    pass\n" * FUNCTION
MANY = "".join(f"    def m{number}(self): pass\n" for number in range(METHODS + 1))


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("x = 1\n" * (FILE + 1), "a.py: 301 lines"),
        (f"def f():\n{LONG}", "a.py f: 41 lines"),
        (f"async def f():\n{LONG}", "a.py f: 41 lines"),
        (f"class C:\n{MANY}", "a.py C: 16 methods"),
        ("def __init__(self, a, b, c, /, d, *e, f, **g): pass\n", "a.py __init__: 7 parameters"),
    ],
)
def test_a_reason_makes_the_difference(text: str, size: str) -> None:
    """Without one a size is a fault; with one above it, it is none."""
    assert list(faults_of("a.py", text)) == [size]
    assert list(faults_of("a.py", f"# Long: it is a list\n{text}")) == []


@pytest.mark.parametrize(
    "text",
    ["x = 1\n" * FILE, f"def f():\n{LONG[:-9]}", "def __init__(self, a, b, c, d, e, f): pass\n"],
)
def test_what_is_just_within_needs_no_reason(text: str) -> None:
    """The limits themselves are allowed."""
    assert list(faults_of("a.py", text)) == []
