"""A job of type ``table_dispatcher`` that runs in the test's own process."""

from __future__ import annotations

import logging
import os
import secrets
import subprocess
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from tdsup.dispatcher.actions import ACTIONS
from tdsup.dispatcher.errors import SetupError
from tdsup.dispatcher.job import TABLE_DISPATCHER
from tdsup.dispatcher.settings import Settings
from tdsup.jobtype import Order, Snapshot

from harness.servers.database import Database

Keys = dict[str, object]
"""Keys of a job's file, and their values."""


class HostContext:
    """A host that records what the job says."""

    def __init__(self) -> None:
        self.logger = logging.getLogger("job")
        self.asked = True
        self.identity = secrets.token_hex(8)
        self.reports: list[Snapshot] = []
        self._order: Order | None = None
        self._lock = threading.Lock()
        self._news = threading.Event()
        self._stop = threading.Event()

    def report(self, snapshot: Snapshot) -> None:
        """Keep it."""
        self.reports.append(snapshot)

    def stopping(self) -> bool:
        """Whether `stop` was called."""
        return self._stop.is_set()

    def news(self, _what: str) -> int | None:
        """Nobody watches."""
        return None

    def wait(self, seconds: float, *, for_news: Collection[str] = ()) -> bool:
        """Sleep or be woken."""
        self._news.wait(seconds)
        return self.stopping()

    def stop(self) -> None:
        """Ask the job to end."""
        with self._lock:
            self._stop.set()
            self._news.set()

    def run_program(self, command: Sequence[str], environment: Mapping[str, str], seconds: float) -> str:
        """Run it, within the limit."""
        done = subprocess.run(command, env={**os.environ, **environment}, timeout=seconds, check=False)
        return f"exit status {done.returncode}" if done.returncode else ""

    def give(self, order: Order) -> None:
        """Give the job an order."""
        with self._lock:
            self._order = order
            self._news.set()

    def order(self) -> Order | None:
        """Take it."""
        with self._lock:
            order, self._order = self._order, None
            if not self.stopping():
                self._news.clear()
            return order

    @property
    def values(self) -> Mapping[str, Any]:
        """The newest numbers of this process alone, without what others have counted before it.

        ``events`` is their sum, ``outcomes`` has them by operation and outcome.
        """
        newest = self.reports[-1].values
        before = next((report.values for report in self.reports if report.totals), {})
        values = {name: number - _number(before.get(name)) for name, number in _numbers(newest).items()}
        known = before.get("events", {})
        outcomes = {key: number - known.get(key, 0) for key, number in newest["events"].items()}
        outcomes = {key: number for key, number in outcomes.items() if number}
        return {**newest, **values, "events": sum(outcomes.values()), "outcomes": outcomes}


TOTALS = ("rows", "dead_letters", "ignored", "batches", "partitions")
"""Counters that the target may keep, besides those of events."""


def _numbers(values: Mapping[str, Any]) -> dict[str, int]:
    return {name: int(values[name]) for name in TOTALS}


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def settings_of(**keys: object) -> Settings:
    """Settings as an ini file would give them; the job is called ``job`` and drains its queue."""
    values = {"job_name": "job", "loop_delay": "0", **keys}
    # Sections [table …] come as keys by their names.
    return Settings.model_validate(
        {key: value if key == "tables" else str(value) for key, value in values.items()}
    )


def job_keys(
    source: Database, target: Database, *, queue: str = "q", table: str = "t", **others: object
) -> Keys:
    """Keys of a job: its databases, its queue, its table, and others."""
    named = {"src_db": source.dsn, "dst_db": target.dsn, "pgq_queue_name": queue, "dest_table": table}
    return {**named, **others}


def act(name: str, keys: Keys, *arguments: str) -> list[str]:
    """The lines of an action on a job. If a replay fails, as letters stay, its error is the last one."""
    (action,) = (action for action in ACTIONS if action.name == name)
    lines: list[str] = []
    try:
        lines.extend(action.run(settings_of(**keys), arguments))
    except SetupError as error:
        if name != "replay" or not lines:
            raise
        lines.append(str(error))
    return lines


def drain(**keys: object) -> Mapping[str, Any]:
    """Run a job until its queue is empty; returns its last numbers."""
    context = HostContext()
    TABLE_DISPATCHER.run(settings_of(**keys), context)
    return context.values


class RunningJob:
    """A job that runs in a thread until the context ends; what it raised is raised again at that point."""

    def __init__(self, **keys: object) -> None:
        self.context = HostContext()
        self.error: BaseException | None = None
        self._settings = settings_of(**{"loop_delay": "0.05", **keys})
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        try:
            TABLE_DISPATCHER.run(self._settings, self.context)
        except BaseException as error:  # noqa: BLE001 (raised again in the test's thread)
            self.error = error

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.context.stop()
        self._thread.join(30)
        assert not self._thread.is_alive(), "the job did not stop"
        if self.error is not None and error is None:
            raise self.error

    def wait_for(self, condition: str, *, rows: int = 0, reason: str = "", seconds: float = 20) -> None:
        """Wait until the newest report says so."""
        deadline = time.monotonic() + seconds
        while not self._says(condition, rows, reason):
            assert time.monotonic() < deadline, f"not {condition}, {rows} rows: {self.context.reports[-1:]}"
            assert self.error is None, self.error
            time.sleep(0.02)

    def _says(self, condition: str, rows: int, reason: str) -> bool:
        if not self.context.reports:
            return False
        newest = self.context.reports[-1]
        return (
            newest.condition == condition and self.context.values["rows"] >= rows and reason in newest.reason
        )
