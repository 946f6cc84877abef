"""The end of a log, over everything that can happen to a log."""

from __future__ import annotations

import contextlib
import itertools
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tdsup.supervisor.cli.files.tail import BLOCK, Tail


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log of five lines."""
    path = tmp_path / "a.log"
    path.write_text("1\n2\n3\n4\n5\n", encoding="utf-8")
    return path


@pytest.fixture
def tail(log: Path) -> Iterator[Tail]:
    """A tail that has shown all there was."""
    made = Tail(log)
    made.last(0)
    yield made
    made.close()


def write(path: Path, text: str) -> None:
    """Add to a file, which is newer than all before it."""
    with path.open("a", encoding="utf-8") as file:
        file.write(text)
    moment = next(_moments)
    os.utime(path, ns=(moment, moment))


_moments = itertools.count(time.time_ns() + 10**15)
"""Times of changes in nanoseconds, days ahead of any true one: a file system's clock ticks too slowly."""


def last(path: Path, lines: int) -> str:
    """The last lines, as text."""
    with contextlib.closing(Tail(path)) as tail:
        return tail.last(lines).decode()


def news(tail: Tail) -> str:
    """What is new, as text."""
    return b"".join(tail.news()).decode()


@pytest.mark.parametrize(("lines", "text"), [(0, ""), (2, "4\n5\n"), (9, "1\n2\n3\n4\n5\n")])
def test_the_last_lines(log: Path, lines: int, text: str) -> None:
    """As many as there are."""
    assert last(log, lines) == text


def test_the_last_lines_reach_into_the_file_before(log: Path) -> None:
    """Right after a rotation there would be next to nothing to see."""
    (log.parent / "a.log.1").write_text("x\ny\nz\n", encoding="utf-8")
    assert last(log, 7) == "y\nz\n1\n2\n3\n4\n5\n"


def test_long_lines_are_whole(log: Path) -> None:
    """Also over the limits of blocks."""
    line = "x" * (3 * BLOCK) + "\n"
    log.write_text("a\n" + line + line, encoding="utf-8")
    assert last(log, 2) == line + line


def test_what_is_added_is_shown_once(log: Path, tail: Tail) -> None:
    """Half lines too."""
    write(log, "6\n7")
    assert news(tail) == "6\n7"
    write(log, "\n")
    assert (news(tail), news(tail)) == ("\n", "")


def test_rotations_between_two_looks_lose_nothing(log: Path, tail: Tail) -> None:
    """What was still written to the old file comes first, then the files in between, oldest first."""
    write(log, "6\n")
    log.rename(f"{log}.2")
    write(Path(f"{log}.1"), "7\n")
    write(log, "8\n")
    assert news(tail) == "6\n7\n8\n"
    write(log, "9\n")
    assert news(tail) == "9\n"


@pytest.mark.parametrize("gone", ["deleted", "renamed"])
def test_a_file_taken_away_is_read_to_its_end(log: Path, tail: Tail, gone: str) -> None:
    """And older ones beside it are not shown again."""
    write(Path(f"{log}.1"), "0\n")
    write(log, "6\n")
    log.unlink() if gone == "deleted" else log.rename(log.parent / "elsewhere")
    assert news(tail) == "6\n"
    write(log, "7\n")
    assert news(tail) == "7\n"


def test_a_truncated_file_is_read_from_its_beginning(log: Path, tail: Tail) -> None:
    """As the writer goes on there."""
    log.write_text("", encoding="utf-8")
    write(log, "6\n")
    assert news(tail) == "6\n"


def test_rotations_beyond_what_is_kept_show_what_is_left(log: Path, tail: Tail) -> None:
    """Our file is gone altogether; all that was written after it is shown."""
    log.unlink()
    for name in (f"{log}.2", f"{log}.1", str(log)):
        write(Path(name), f"{name[-1]}\n")
    assert news(tail) == "2\n1\ng\n"
