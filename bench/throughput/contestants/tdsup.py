"""Ours: the program ``table_dispatcher``, until the queue is empty."""

from __future__ import annotations

from collections.abc import Callable

from tdsup.supervisor.cli import table_dispatcher as single
from tdsup.supervisor.config.jobtypes import find_job_type

from .task import Task

SECTION = "table_dispatcher"


def prepare(task: Task) -> Callable[[], object]:
    """The work; the job type's modules are already imported."""
    find_job_type(SECTION)
    path = task.write_ini(SECTION, start="registered", row_mode="plain")
    return lambda: _run(path)


def _run(path: str) -> None:
    if status := single.main(["--quiet", path]):
        raise SystemExit(status)
