"""What tests of several tables load."""

from __future__ import annotations

import pytest
from harness.servers.database import Database
from harness.servers.queue import Queue
from harness.several.threetables import Several


@pytest.fixture
def several(target: Database, queue: Queue) -> Several:
    """The tables, and a job's consumer that is registered."""
    made = Several(queue, target)
    made.drain({"a": {}})
    return made
