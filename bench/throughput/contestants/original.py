"""The original's logic on the original's libraries: see `harness.programs.original`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from .bounded import Bounded
from .task import Task

sys.path.append(str(Path(__file__).parents[3] / "tests"))

from harness.programs.original import SECTION, Original


class BoundedOriginal(Bounded, Original):
    """The original, ending after some batches."""


def prepare(task: Task) -> Callable[[], object]:
    """The work."""
    consumer = BoundedOriginal(["--quiet", task.write_ini(SECTION)])
    consumer.batches = task.ticks
    return consumer.start
