"""The contestants, and how one of them is run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tdsup.sandbox import Sandbox

from .. import servers
from ..case import Case
from ..work import Ticks
from ..workload import Workload
from . import merge, runner
from .runner import Report
from .task import Task

ROOT = Path(__file__).parents[3]

OURS = "tdsup"

LOGICAL = "logical"
"""The one that needs no queue."""

PATIENCE = 1800.0
"""Seconds after which a contestant counts as hung."""


class Failed(Exception):
    """A contestant did not do its task; the message is its output."""


@dataclass(frozen=True)
class Run:
    """What a contestant needed for some events: its process's report, and the CPU seconds of both servers."""

    events: int
    report: Report
    source_cpu: float
    target_cpu: float

    @property
    def rate(self) -> float:
        """Events a second."""
        return self.events / self.report.seconds

    def without(self, start: Run) -> Run:
        """The same without what a run cost that had nothing to do."""
        report = Report(
            self.report.seconds - start.report.seconds, self.report.cpu - start.report.cpu, self.report.peak
        )
        return Run(
            self.events, report, self.source_cpu - start.source_cpu, self.target_cpu - start.target_cpu
        )

    def per_million(self, seconds: float) -> float:
        """Convert seconds for these events to seconds per million."""
        return seconds / self.events * 1e6


@dataclass(frozen=True)
class Contestant:
    """Somebody who works off the queue.

    Attributes:
        name: also that of its module here.
        label: for tables and plots.
        most: events that it gets at most, the first ones, a tick at least; None for all. The slow ones' rates
            hardly depend on it (docs/performance.md), but the time that a run takes does.
        pgq_ext: whether its position is there.
        flags: of its interpreter.
        packages: from elsewhere, whose versions count.
        plain: whether it takes part where logutriga's events add rows.
        changes: whether it takes part where rows are changed, or another trigger writes the events.
    """

    name: str
    label: str
    most: int | None = None
    pgq_ext: bool = False
    flags: Sequence[str] = ()
    packages: Sequence[str] = ()
    plain: bool = True
    changes: bool = True

    def takes(self, case: Case) -> bool:
        """Whether it takes part in a case."""
        return self.plain if case.is_plain else self.changes

    def of(self, ticks: Ticks, part: int = 1) -> int:
        """How many ticks of the queue it gets; the slow ones one part of `most`."""
        return ticks.count if self.most is None else min(ticks.count, max(1, self.most // part // ticks.size))

    def run(self, box: Sandbox, workload: Workload, ticks: int) -> Run:
        """Let it work off the first ticks.

        Raises:
            Failed: it ended with an error, or has not loaded what it should.
        """
        if self.name == "limit" and workload.case.work.changes:
            runs = [self._run(box, workload, ticks, "merge", way) for way in merge.WAYS]
            return max(runs, key=lambda run: run.rate)
        run = self._run(box, workload, ticks, self.name)
        if workload.logical and self.name == OURS:
            # As the start of logical replication does not count.
            return run.without(self._again(box, workload))
        return run

    def _again(self, box: Sandbox, workload: Workload) -> Run:
        """Let it start once more, with nothing left to do."""
        return self._started(box, workload, workload.last_task, self.name, 0)

    def _run(self, box: Sandbox, workload: Workload, ticks: int, module: str, way: str = "") -> Run:
        native = self.name == LOGICAL
        name = f"bench_{self.name}"
        task = (
            workload.native_task(name)
            if native
            else workload.task(name, ticks, pgq_ext=self.pgq_ext, way=way)
        )
        run = self._started(box, workload, task, module, ticks)
        if complaint := workload.complaint(run.events, native=native):
            raise Failed(f"cannot count {self.name}: {complaint}")
        return run

    def _started(self, box: Sandbox, workload: Workload, task: Task, module: str, ticks: int) -> Run:
        # What the caller's interpreter is strict about is not theirs.
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
        before = servers.cpu(box.source), servers.cpu(box.target)
        done = subprocess.run(  # noqa: S603 (a program of ours)
            [sys.executable, *self.flags, "-m", runner.__name__, module, task.json],
            cwd=ROOT,
            env={**environment, "PYTHONUTF8": "1"},
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
        source_cpu, target_cpu = servers.cpu(box.source) - before[0], servers.cpu(box.target) - before[1]
        if done.returncode:
            raise Failed(f"cannot run {self.name}: exit status {done.returncode}: {done.stderr.strip()}")
        report = Report(**json.loads(done.stdout.splitlines()[-1]))
        return Run(ticks * workload.ticks.size, report, source_cpu, target_cpu)


CONTESTANTS = {
    contestant.name: contestant
    for contestant in (
        Contestant("limit", "limit"),
        Contestant(OURS, "tdsup"),
        Contestant(LOGICAL, "logical replication", plain=False),
        Contestant(
            "original", "original", most=100_000, pgq_ext=True, packages=("skytools", "pgq"), changes=False
        ),
        Contestant(
            "londiste",
            "Londiste",
            most=50_000,
            pgq_ext=True,
            flags=("-O",),
            packages=("londiste",),
            changes=False,
        ),
    )
}
"""All contestants, by name."""
