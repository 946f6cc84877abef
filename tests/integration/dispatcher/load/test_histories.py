"""Random histories of a table come to what a plain replay of their events comes to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest
from harness.rows.designs import MASK_KEY, WHERES
from harness.rows.history import LATEST, LOGS, MARKED, histories
from harness.rows.played import Stage
from harness.rows.steps import History
from harness.servers.database import Database
from harness.servers.queue import Queue
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
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


SETTINGS = settings(
    max_examples=50,
    deadline=None,
    derandomize=True,
    print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.mark.usefixtures("way")
@SETTINGS
@given(history=histories())
def test_a_history_comes_to_its_replay(stage: Stage, history: History) -> None:
    """Cell by cell, and in dead letters and counts of outcomes."""
    compare(stage, history)


@pytest.mark.usefixtures("way")
@settings(SETTINGS, max_examples=25)
@given(history=histories(), where=st.sampled_from([where for where in WHERES if where]))
def test_a_history_of_which_some_rows_are_loaded(stage: Stage, history: History, where: str) -> None:
    """The same: a row is there while it matches; one that no longer does is removed."""
    # Rows that others refer to might not be loaded.
    assume(history.design.extra in {"", "unique"})
    compare(stage, replace(history, design=replace(history.design, where=where)))


@pytest.mark.usefixtures("way")
@settings(SETTINGS, max_examples=25)
@given(history=histories())
def test_a_history_that_is_masked(stage: Stage, history: History, mask_file: str) -> None:
    """The same, with masks on a part of the key and on other columns."""
    compare(stage, replace(history, design=replace(history.design, mask_file=mask_file)))


@pytest.mark.usefixtures("way")
@SETTINGS
@given(history=histories(LATEST))
def test_each_partition_keeps_the_latest_state_of_a_row(stage: Stage, history: History) -> None:
    """With keep_latest; whatever the partitions are, and however rows move between them."""
    compare(stage, history)


@pytest.mark.usefixtures("way")
@SETTINGS
@given(history=histories(MARKED))
def test_deleted_rows_stay_and_say_since_when(stage: Stage, history: History) -> None:
    """With deleted_at; until they come back, and whatever truncates them."""
    compare(stage, history)


@pytest.mark.usefixtures("way")
@settings(SETTINGS, max_examples=25)
@given(history=histories(LOGS))
def test_each_event_of_a_log_is_a_row(stage: Stage, history: History) -> None:
    """With append and keep_all; whatever the partitions are."""
    compare(stage, history)


@pytest.fixture(scope="module")
def mask_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A file with the key of digests."""
    path = tmp_path_factory.mktemp("masks") / "key"
    path.write_text(MASK_KEY, encoding="utf-8")
    return str(path)


def compare(stage: Stage, history: History) -> None:
    """Play a history, and compare what the job makes of it with its replay."""
    replayed, values = stage.play(history)
    design = history.design
    assert stage.rows(design) == Counter(
        (design.place(row), *(row[name] for name in design.loaded)) for row in replayed.rows.values()
    )
    assert stage.dead() == replayed.dead
    assert values["outcomes"] == dict(replayed.counts)
