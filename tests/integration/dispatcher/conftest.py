"""What most tests of the dispatcher load."""

from __future__ import annotations

import pytest
from harness.rows.pipeline import Pipeline, Table
from harness.servers.database import Database
from harness.servers.queue import Queue


@pytest.fixture
def pipeline(target: Database, queue: Queue) -> Pipeline:
    """A table ``t`` that is loaded by day; its consumer is registered."""
    made = Pipeline(queue, target, part_field="day")
    made.drain()
    return made


@pytest.fixture
def checked(target: Database, queue: Queue) -> Pipeline:
    """A table ``t`` whose column ``n`` the target wants below 100; loaded by day, its consumer registered."""
    columns = "id int primary key, day date, n int"
    made = Pipeline(
        queue, target, Table(columns=columns, parent=f"{columns} check (n < 100)"), part_field="day"
    )
    made.drain()
    return made
