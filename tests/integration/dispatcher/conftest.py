"""What most tests of the dispatcher load."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from harness.rows.pipeline import Pipeline, Table
from harness.servers.database import Database
from harness.servers.queue import Queue
from tdsup.dispatcher.events.purefold import PureFold
from tdsup.dispatcher.load import lane
from tdsup.dispatcher.load.passes import Pass, Pauses
from tdsup.dispatcher.pgq import queue as reading


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


WAYS: dict[str, Pass | None] = {
    "as_it_is": None,
    "pure": Pass.ORDERED,
    "in_small_folds": Pass.ORDERED,
    "row_path": Pass.ROWS,
    "careful": Pass.CAREFUL,
}
"""Ways to load batches, each with its first pass; None: as the job chooses."""


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The way in which all batches of a test are loaded."""
    name: str = request.param
    first = WAYS[name]
    if first is not None:
        monkeypatch.setattr(Pauses, "first", lambda _pauses, in_blocks: first)
    if name == "pure":
        monkeypatch.setattr(lane, "Fold", PureFold)
    if name == "in_small_folds":
        monkeypatch.setattr(reading, "BLOCK", 600)
        for worth in ("WORTH_ADDING", "WORTH_MERGING"):
            monkeypatch.setattr(lane, worth, 0)
    return name
