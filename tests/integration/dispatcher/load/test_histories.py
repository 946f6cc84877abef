"""Random histories of a table come to what a plain replay of their events comes to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from harness.rows.history import History, histories
from harness.rows.played import Stage
from harness.servers.database import Database
from harness.servers.queue import Queue
from hypothesis import HealthCheck, Phase, given, settings
from tdsup.dispatcher.load.passes import Pass, Pauses
from tdsup.sandbox import Sandbox


@pytest.fixture(scope="module")
def stage(sandbox: Sandbox) -> Iterator[Stage]:
    """Two databases for all histories; only these make ticks."""
    sandbox.ticker.stop()
    sandbox.source.create_database("histories")
    sandbox.target.create_database("histories")
    source = Database(sandbox.source.dsn("histories"))
    target = Database(sandbox.target.dsn("histories"))
    queue = Queue(source, "q")
    queue.create()
    yield Stage(queue, target)
    for database, cluster in ((source, sandbox.source), (target, sandbox.target)):
        database.close()
        cluster.drop_database("histories")
    sandbox.ticker.start()


@pytest.fixture(params=[None, Pass.ROWS, Pass.CAREFUL], ids=["as_it_is", "row_path", "careful"])
def first_pass(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Pass | None:
    """The first pass over each batch; None: as the job chooses."""
    if request.param is not None:
        monkeypatch.setattr(Pauses, "first", lambda _pauses: request.param)
    return request.param


@pytest.mark.usefixtures("first_pass")
@settings(
    max_examples=80,
    deadline=None,
    derandomize=True,
    print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(history=histories())
def test_a_history_comes_to_its_replay(stage: Stage, history: History) -> None:
    """Cell by cell, and in dead letters and counts of outcomes."""
    replayed, values = stage.play(history)
    design = history.design
    assert stage.rows(design) == {
        (design.place(row), *(row[name] for name in design.loaded)) for row in replayed.rows.values()
    }
    assert stage.dead() == replayed.dead
    assert values["outcomes"] == dict(replayed.counts)
