"""What most tests of the dispatcher load."""

from __future__ import annotations

import pytest
from harness.rows.pipeline import Pipeline
from harness.servers.database import Database
from harness.servers.queue import Queue


@pytest.fixture
def pipeline(target: Database, queue: Queue) -> Pipeline:
    """A table ``t`` that is loaded by day; its consumer is registered."""
    made = Pipeline(queue, target, part_field="day")
    made.drain()
    return made
