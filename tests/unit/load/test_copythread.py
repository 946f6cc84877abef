"""The thread that loads rows of the block path: every error that ends it is noticed."""

from __future__ import annotations

import threading
from typing import Any, cast

import psycopg2
import pytest
from tdsup.dispatcher.load.copythread import CopyThread
from tdsup.dispatcher.load.handoff import WORTH_A_COPY, Handoff
from tdsup.dispatcher.load.passes import End, PassFailed
from tdsup.dispatcher.postgres.identifier import TableName
from tdsup.dispatcher.write.writer import Insert

INSERT = Insert(TableName("public", "orders"), ("id", "note"))
ROWS = b"1\t" + b"x" * 1000 + b"\n"


class Refusal(psycopg2.errors.UniqueViolation):
    """An error as the server would send it."""

    pgcode = "23505"


class Cursor:
    """Fails at each COPY, or takes it."""

    def __init__(self, error: Exception | None) -> None:
        self._error = error
        self.taken = b""

    def copy_expert(self, _copy: object, file: Any, _size: int) -> None:
        """Take the rows."""
        if self._error is not None:
            raise self._error
        self.taken += file.read()


def copies(error: Exception | None = None) -> tuple[CopyThread, Cursor]:
    """A thread over a cursor that fails with this error."""
    cursor = Cursor(error)
    return CopyThread(cast("Any", cursor), 4 * WORTH_A_COPY), cursor


@pytest.mark.timeout(20)
@pytest.mark.parametrize("puts", [1, 2000])
def test_what_ends_the_thread_ends_the_batch(puts: int) -> None:
    """An error that does not come from the database is raised, before the thread is started or after."""
    threads = threading.active_count()
    thread, _cursor = copies(MemoryError())

    def load() -> None:
        for _ in range(puts):
            thread.put(INSERT, ROWS)
        thread.finish()

    with thread, pytest.raises(MemoryError):
        load()
    assert threading.active_count() == threads


@pytest.mark.timeout(20)
@pytest.mark.parametrize("puts", [1, 2000])
def test_a_thread_that_ends_early_loses_no_row_in_silence(monkeypatch: pytest.MonkeyPatch, puts: int) -> None:
    """Wherever it fails: rows that nobody has written must not be followed by a commit."""

    def fail(_handoff: Handoff[Insert]) -> None:
        raise MemoryError

    monkeypatch.setattr(Handoff, "take", fail)
    thread, _cursor = copies()

    def load() -> None:
        for _ in range(puts):
            thread.put(INSERT, ROWS)
        thread.finish()

    with thread, pytest.raises(MemoryError):
        load()


def test_a_thread_that_cannot_start_ends_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the reason, and nothing to wait for."""

    def fail(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", fail)
    thread, _cursor = copies()
    with pytest.raises(RuntimeError, match="can't start new thread"), thread:
        thread.put(INSERT, ROWS * 2000)


def test_a_refused_row_ends_the_pass() -> None:
    """From then on nobody can use the connection as if nothing had happened."""
    thread, _cursor = copies(Refusal())
    with thread:
        thread.put(INSERT, ROWS)
        with pytest.raises(PassFailed) as failed:
            thread.finish()
        assert failed.value.end is End.REFUSED
        with pytest.raises(PassFailed), thread.interrupted():
            pass


@pytest.mark.timeout(20)
def test_rows_are_loaded_in_order() -> None:
    """All of them, in as many COPY statements as it takes."""
    thread, cursor = copies()
    rows = [b"%d\t" % number + b"x" * 500 + b"\n" for number in range(3000)]
    with thread:
        for row in rows:
            thread.put(INSERT, row)
        thread.finish()
    assert cursor.taken == b"".join(rows)


def test_abandoned_rows_are_not_loaded() -> None:
    """And nobody waits for them."""
    thread, cursor = copies()
    with thread:
        thread.put(INSERT, ROWS)
        thread.abandon()
        thread.put(INSERT, ROWS * 2000)
        thread.finish()
    assert not cursor.taken
