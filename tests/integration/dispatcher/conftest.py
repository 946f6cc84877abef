"""What most tests of the dispatcher load."""

from __future__ import annotations

from collections.abc import Iterator

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


@pytest.fixture
def role(source: Database, target: Database) -> Iterator[str]:
    """A role without rights on both servers."""
    name = "app role"
    for database in (source, target):
        database.execute(f'create role "{name}" login')
    yield name
    for database in (source, target):
        database.execute(f'drop owned by "{name}" cascade; drop role "{name}"')
