"""Logs under load while others rename, delete and truncate them."""

from __future__ import annotations

import array
import contextlib
import fcntl
import itertools
import logging
import multiprocessing
import os
import random
import re
import signal
import termios
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tdsup.supervisor.logs import LogFile

from harness.programs.fleet import fleet
from harness.waiting import PATIENCE, wait_until

SIZE = 8192
"""Bytes at which the log is rotated."""

COUNT = 6
"""Rotated files that are kept: more than a writer can fill between two looks (see `_Pace`)."""

LINE = "line {:09d} of many"

WRITTEN = re.compile(rb"line (\d{9}) of many")

LINES = SIZE // len(LINE.format(0))
"""Lines in one allowance: about what fits in one file."""

AHEAD = 2
"""Allowances waiting for the writer; with the one in use, fewer than `COUNT` files."""

SLOWEST = 0.3
"""Seconds that one rotation may take on a slow machine."""

ACTS = ("rename", "replace", "delete", "truncate", "delete_rotated")
"""What others do to the log behind its writer's back."""

LEAVING = frozenset({"rename", "replace", "delete"})
"""Those after which the file is no longer the log."""

SHARE = 0.3
"""Share of the looks at which they do."""


def run(directory: Path, times: int) -> str:
    """Rotations lose no line, in a process that only writes a log and in a job of a fleet.

    Every line is in exactly one file, even if that was renamed or deleted later, or was in the file when it
    was truncated. After an act at most the line being written goes to the old file; the next one is in a file
    of the log's name again. The files of the log stay within their sizes.
    """
    trials = {"LogFile": _by_itself, "job": _by_a_job}
    return "; ".join(f"{name}: {trial(directory / name, times)}" for name, trial in trials.items())


def _by_itself(directory: Path, times: int) -> str:
    """The writer, in a process that does nothing else."""
    directory.mkdir(parents=True)
    log = directory / "job.log"
    pace = _Pace(directory / "pace")
    collector = _Collector(log)
    writer = multiprocessing.get_context("spawn").Process(target=_write, args=(log, pace.path), daemon=True)
    writer.start()
    try:
        assert writer.pid is not None
        wait_until(log.exists, "the log is there")
        _disturb(collector, writer.pid, pace, times)
        pace.end()
        writer.join()
    finally:
        writer.kill()
        writer.join()
    return collector.verdict(pace.lines)


def _by_a_job(directory: Path, times: int) -> str:
    """A job of a fleet, whose process writes the log."""
    with fleet(directory) as a_fleet:
        pace = _Pace(directory / "pace")
        a_fleet.write_job(
            "job",
            behave="lines",
            line=LINE,
            times=LINES,
            pace=pace.path,
            log_size=SIZE,
            log_count=COUNT,
            logfmt_file="%(message)s",
        )
        a_fleet.start()
        worker = a_fleet.wait_for("job", state="running")["pid"]
        collector = _Collector(directory / "log" / "job.log")
        _disturb(collector, worker, pace, times)
        pace.end()
        a_fleet.wait_for("job", state="stopped", pid=None)
        a_fleet.stop()
    return collector.verdict(pace.lines)


def _write(log: Path, pace: Path) -> None:
    """Write numbered lines as the pace allows, as a fake job with ``behave = lines`` does."""
    handler = LogFile(log, SIZE, COUNT, redirect=True)
    numbers = itertools.count()
    with pace.open("rb", buffering=0) as allowances:
        while allowances.read(1):
            for number in itertools.islice(numbers, LINES):
                handler.emit(logging.LogRecord("x", logging.INFO, "", 0, LINE.format(number), (), None))


class _Pace:
    """A pipe; each byte allows the writer some lines, so that no file vanishes before it was seen."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines = 0
        os.mkfifo(path)
        # For reading too, so that it opens at once and shows how much is unread.
        self._fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)

    def allow(self) -> None:
        """Give the writer all allowances it may have."""
        unread = array.array("i", [0])
        fcntl.ioctl(self._fd, termios.FIONREAD, unread)
        self.lines += LINES * os.write(self._fd, b"x" * (AHEAD - unread[0]))

    def end(self) -> None:
        """Let the writer end once it has written all it was allowed."""
        os.close(self._fd)


class _Collector:
    """Keeps every file that ever had one of the log's names; use it only while the writer is stopped."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._kept = log.with_name("kept")
        self._kept.mkdir()
        self._links: dict[int, Path] = {}
        self._truncated: list[bytes] = []
        self._acts: Counter[str] = Counter()
        self._left: dict[int, int] = {}
        self._largest = 0
        self.rotated: set[int] = set()

    def look(self) -> None:
        """Keep new files, and note the total size."""
        total = 0
        for path in [self._log, *self._log.parent.glob(f"{self._log.name}.*")]:
            with contextlib.suppress(FileNotFoundError):
                found = path.stat()
                total += found.st_size
                if found.st_ino not in self._links:
                    self._links[found.st_ino] = self._kept / str(found.st_ino)
                    self._links[found.st_ino].hardlink_to(path)
                if path != self._log:
                    self.rotated.add(found.st_ino)
        self._largest = max(self._largest, total)

    def disturb(self, act: str, number: float) -> None:
        """Do one of `ACTS`, unless the file does not exist at this moment."""
        rotated = self._log.with_name(f"{self._log.name}.{1 + int(number * COUNT)}")
        with contextlib.suppress(FileNotFoundError):
            if act in LEAVING:
                found = self._log.stat()
                self._left[found.st_ino] = found.st_size
            if act in {"rename", "replace"}:
                self._log.rename(self._log.with_name(f"moved-{len(self._links)}"))
                if act == "replace":
                    self._log.touch()
            elif act == "truncate":
                self._truncated.append(self._log.read_bytes())
                os.truncate(self._log, 0)
            else:
                (self._log if act == "delete" else rotated).unlink()
            self._acts[act] += 1

    def verdict(self, lines: int) -> str:
        """Account for every line, once the writer has ended; returns a summary."""
        self.look()
        contents = [*self._truncated, *(link.read_bytes() for link in self._links.values())]
        found: Counter[int] = Counter()
        for content in contents:
            assert content[-1:] in {b"", b"\n"}, f"half a line: {content[-80:]!r}"
            matches = [WRITTEN.fullmatch(line) for line in content.splitlines()]
            assert None not in matches, f"not what was written: {content[:80]!r}"
            numbers = [int(match[1]) for match in matches if match]
            assert numbers == sorted(numbers), "lines out of order"
            found.update(numbers)
        for inode, size in self._left.items():
            grown = self._links[inode].stat().st_size - size
            assert grown <= len(LINE.format(0)) + 1, f"{grown} bytes went to a file that is no longer the log"
        lost = [number for number in range(lines) if not found[number]]
        assert not lost, f"{len(lost)} of {lines} lines are lost: {lost[:5]}"
        assert found.total() == lines, f"{found.total() - lines} lines are there twice"
        limit = (COUNT + 1) * SIZE + len(LINE.format(0)) + 1
        assert self._largest <= limit, f"{self._largest} bytes, but {limit} are the limit"
        acts = ", ".join(f"{count} {act}" for act, count in sorted(self._acts.items()))
        told = f"{len(self.rotated)} rotations, {acts}: none of {lines} lines lost"
        return f"{told}, at most {self._largest} of {limit} bytes"


def _disturb(collector: _Collector, pid: int, pace: _Pace, times: int) -> None:
    """Let the writer rotate `times` times; stop it at random moments to look and to disturb."""
    chance = random.Random(1)  # noqa: S311 (any moments)
    end = time.monotonic() + PATIENCE + times * SLOWEST
    while len(collector.rotated) < times:
        assert time.monotonic() < end, f"only {len(collector.rotated)} rotations"
        pace.allow()
        time.sleep(chance.uniform(0, 0.003))
        with _standing_still(pid):
            collector.look()
            if chance.random() < SHARE:
                collector.disturb(chance.choice(ACTS), chance.random())


@contextlib.contextmanager
def _standing_still(pid: int) -> Iterator[None]:
    """Stop a process wherever it is, so that nothing changes during a look."""
    os.kill(pid, signal.SIGSTOP)
    try:
        end = time.monotonic() + PATIENCE
        while not all(_stands(task) for task in Path(f"/proc/{pid}/task").iterdir()):
            assert time.monotonic() < end, "the writer does not stand still"
            time.sleep(0.0002)
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def _stands(task: Path) -> bool:
    return (task / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "T"
