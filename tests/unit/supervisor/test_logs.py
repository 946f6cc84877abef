"""Log files that lose no line."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tdsup.supervisor.lineformat import LineFormat
from tdsup.supervisor.logs import LogFile, add_file, drop_all


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A log that does not exist yet."""
    return tmp_path / "job.log"


def lines(path: Path) -> list[str]:
    """All lines of a log and its rotated files, oldest first."""
    numbers = sorted((int(each.suffix[1:]) for each in path.parent.glob("job.log.*")), reverse=True)
    files = [path.with_name(f"job.log.{number}") for number in numbers] + [path]
    return [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]


class Log:
    """A log file that records are written to."""

    def __init__(self, path: Path, size: int, count: int) -> None:
        self.handler = LogFile(path, size, count, redirect=False)

    def write(self, text: str) -> None:
        """Write a line."""
        self.handler.emit(logging.LogRecord("x", logging.INFO, "", 0, text, (), None))


@pytest.fixture
def log(path: Path) -> Iterator[Log]:
    """A log of 100 bytes and three rotated files."""
    made = Log(path, 100, 3)
    yield made
    made.handler.close()


def test_rotation_keeps_the_newest_lines_within_the_sizes(log: Log, path: Path) -> None:
    """Four files at most, none over its size, and the lines in them are the last ones without a gap."""
    for number in range(100):
        log.write(f"line {number:03} \N{EURO SIGN}")
    files = sorted(path.parent.iterdir())
    assert [file.name for file in files] == ["job.log", "job.log.1", "job.log.2", "job.log.3"]
    assert all(file.stat().st_size <= 100 for file in files)
    kept = lines(path)
    assert kept == [f"line {number:03} \N{EURO SIGN}" for number in range(100 - len(kept), 100)]
    assert len(kept) >= 3 * 7


@pytest.mark.parametrize(("size", "count"), [(0, 3), (10, 0)])
def test_no_size_or_no_count_is_no_rotation(path: Path, size: int, count: int) -> None:
    """As in Python's own handler, which the original uses."""
    log = Log(path, size, count)
    for _ in range(50):
        log.write("line")
    log.handler.close()
    assert [file.name for file in path.parent.iterdir()] == ["job.log"]
    assert len(lines(path)) == 50


def test_a_renamed_or_deleted_log_is_made_again(log: Log, path: Path) -> None:
    """People and logrotate may do as they like."""
    log.write("one")
    path.rename(path.with_name("job.log.1"))
    log.write("two")
    assert lines(path) == ["one", "two"]
    path.unlink()
    log.write("three")
    assert lines(path) == ["one", "three"]


def test_a_log_that_cannot_be_written_costs_the_line_only(log: Log, path: Path) -> None:
    """Its directory vanished: no exception, and lines come again when it is back."""
    path.unlink()
    path.parent.rename(path.parent.with_name("gone"))
    log.write("lost")
    path.parent.mkdir()
    log.write("found")
    assert lines(path) == ["found"]


def test_a_rotation_that_fails_costs_no_line(log: Log, path: Path) -> None:
    """Something is in its way: the file grows, and is rotated when the way is free."""
    obstacle = path.with_name("job.log.3")
    obstacle.mkdir()
    written = [f"line {number:03}" for number in range(61)]
    for line in written[:-1]:
        log.write(line)
    obstacle.rmdir()
    assert lines(path) == written[:-1]
    log.write(written[-1])
    assert obstacle.is_file()
    assert lines(path) == written


def test_a_line_longer_than_the_size_is_written_whole(log: Log, path: Path) -> None:
    """It gets a file of its own."""
    log.write("x")
    log.write("y" * 500)
    log.write("z")
    assert [len(line) for line in lines(path)] == [1, 500, 1]


def test_a_rotation_by_hand_begins_a_new_file(log: Log, path: Path) -> None:
    """An empty one stays: rotating it would push out the oldest for nothing."""
    log.write("one")
    log.handler.rotate()
    log.handler.rotate()
    log.write("two")
    assert path.with_name("job.log.1").read_text(encoding="utf-8") == "one\n"
    assert path.read_text(encoding="utf-8") == "two\n"


def test_a_line_can_be_an_object(path: Path) -> None:
    """With the time in UTC, the traceback if there is one, and no password; text of two lines is one line."""
    add_file(path, 0, 0, redirect=False, line_format=LineFormat(json=True))
    try:
        logger = logging.getLogger("orders")
        try:
            int("password=hunter2")
        except ValueError:
            logger.exception("cannot load %s\nß", "password=hunter2")
    finally:
        drop_all()
    (line,) = lines(path)
    content = json.loads(line)
    traceback = content.pop("traceback")
    assert traceback.startswith("Traceback (most recent call last):\n")
    assert "hunter2" not in line
    moment = datetime.fromisoformat(content.pop("time"))
    assert moment.utcoffset() == timedelta(0)
    assert abs(datetime.now(UTC) - moment) < timedelta(minutes=1)
    assert content == {
        "level": "ERROR",
        "pid": os.getpid(),
        "name": "orders",
        "job": "",
        "message": "cannot load password=********\nß",
    }
