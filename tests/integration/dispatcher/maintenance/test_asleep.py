"""A job that sleeps without connections, as nothing happens, wakes for its partitions."""

from __future__ import annotations

import time
from typing import Any

import pytest
from harness.rows.job import HostContext
from harness.rows.pipeline import Pipeline
from harness.servers.database import Database
from harness.waiting import wait_until
from tdsup.dispatcher.address import Address
from tdsup.dispatcher.ledger import Entries
from tdsup.dispatcher.maintenance import maintenance
from tdsup.dispatcher.pgq.bulletin import news_of
from tdsup.dispatcher.postgres import Connection, connected
from tdsup.dispatcher.running.sessions import Sessions

OLD = "select to_regclass('t_2020_01_01') is null"

TOMORROW = "select 't_' || to_char(current_date + 1, 'YYYY_MM_DD')"


class Watched(HostContext):
    """A host whose watchers tell of one consumer, and of no new tick."""

    def __init__(self, watcher: Connection) -> None:
        super().__init__()
        self._entries = Entries(watcher, [("q", "job")])
        self._state = 0

    def news(self, what: str) -> int | None:
        """Always the same tick; the state of the consumer as it is."""
        if what == "source":
            return news_of(1)
        self._state = self._entries.look().get(("q", "job"), self._state)
        return self._state


@pytest.mark.usefixtures("without_pgqd")
def test_a_job_that_sleeps(pipeline: Pipeline, target: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Old partitions go and new ones are made without any event; then it sleeps again."""
    slept: list[float] = []
    sleep = Sessions.sleep

    def counted(sessions: Sessions, *how: Any) -> Any:
        slept.append(time.monotonic())
        return sleep(sessions, *how)

    monkeypatch.setattr(maintenance, "EVERY", 1.0)
    monkeypatch.setattr(Sessions, "sleep", counted)
    pipeline.drain()
    tomorrow = target.value(TOMORROW)
    keys = {"premake": 1, "retention_period": "35 days", "retention_action": "drop", "idle_disconnect": 0.1}
    job = pipeline.running(**keys)
    with connected(Address("target", target.dsn), "watcher") as watcher:
        job.context = Watched(watcher)
        with job:
            for number in range(2):
                wait_until(lambda: len(slept) > number, "it sleeps")  # noqa: B023 (called at once)
                target.execute(f"create table t_2020_01_01 () inherits (t); drop table if exists {tomorrow}")
                target.wait_for(OLD)
                target.wait_for("select to_regclass(%s) is not null", tomorrow)
        assert job.context.values["batches"] == 0
