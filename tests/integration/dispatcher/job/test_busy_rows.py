"""A consumer's row that batches change all the time."""

from __future__ import annotations

import threading

import pytest
from harness.paths import PGQ_EXT
from harness.rows.pipeline import Pipeline
from harness.servers.database import Database
from tdsup.dispatcher.address import Address
from tdsup.dispatcher.ledger import ConsumerRow, find_position, open_schema
from tdsup.dispatcher.postgres import connected


@pytest.mark.parametrize("where", ["own", "pgq_ext"])
def test_a_pause_waits_for_its_turn(target: Database, pipeline: Pipeline, where: str) -> None:
    """With pgq_ext too, though a batch has changed the row meanwhile: such batches may follow each other."""
    if where == "pgq_ext":
        pipeline.act("unregister")
        target.execute(PGQ_EXT.read_text(encoding="utf-8"))
        pipeline.drain()
    with connected(Address("target", target.dsn), "test") as connection, target.another() as batch:
        with connection.cursor() as cursor:
            position = find_position(cursor, open_schema(connection), "q", "job")
        connection.rollback()
        assert position is not None
        position.prepare(connection)
        obeyed: list[bool] = []
        batch.execute("begin; update tdsup.consumer set counters = counters")
        row = ConsumerRow(connection, position)
        thread = threading.Thread(target=lambda: obeyed.append(row.pause("here")))
        thread.start()
        target.wait_for("select exists (select from pg_stat_activity where wait_event_type = 'Lock')")
        batch.execute("commit")
        thread.join(20)
        assert obeyed == [True]
    assert target.value("select paused like 'paused on host here since %%' from tdsup.consumer")
