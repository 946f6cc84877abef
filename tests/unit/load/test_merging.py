"""The thread that merges rows of the block path: every error that ends it is noticed."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, cast

import psycopg2
import pytest
from tdsup.dispatcher.events.folded import Act
from tdsup.dispatcher.load.merging import ORDER, PARENTS_FIRST, Merging, Step, rounds_of
from tdsup.dispatcher.load.passes import End, PassFailed
from tdsup.dispatcher.postgres.identifier import TableName
from tdsup.dispatcher.write.stage import Stage
from tdsup.dispatcher.write.writer import Delete, Insert, Patch, Replace

TABLE = TableName("public", "orders")
INSERT = Insert(TABLE, ("id", "note"))


class Refusal(psycopg2.errors.UniqueViolation):
    """An error as the server would send it."""

    pgcode = "23505"


class Cursor:
    """Fails at each COPY, or takes it."""

    def __init__(self, error: BaseException | None) -> None:
        self._error = error
        self.taken: list[bytes] = []
        self.threads: list[str] = []

    def copy_expert(self, _copy: object, file: Any, _size: int) -> None:
        """Take the rows."""
        self.threads.append(threading.current_thread().name)
        if self._error is not None:
            raise self._error
        self.taken.append(file.read())


def merging(error: BaseException | None = None) -> tuple[Merging, Cursor]:
    """A merging over a cursor that fails with this error."""
    cursor = Cursor(error)
    return Merging(cast("Any", cursor)), cursor


def step(text: bytes = b"1\tx\n") -> Step:
    """A row to add."""
    return Step(Act.INSERT, {INSERT: 1}, [text])


@pytest.mark.timeout(20)
@pytest.mark.parametrize("way", ["start", "run"])
def test_what_ends_the_thread_ends_the_batch(way: str) -> None:
    """An error that does not come from the database is raised, by the thread or without it."""
    threads = threading.active_count()
    merging_, _cursor = merging(MemoryError())

    def merge() -> None:
        getattr(merging_, way)([[step()]])
        merging_.run([])

    with merging_, pytest.raises(MemoryError):
        merge()
    assert threading.active_count() == threads


def test_a_thread_that_cannot_start_ends_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the reason, and nothing to wait for."""

    def fail(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", fail)
    merging_, _cursor = merging()
    with pytest.raises(RuntimeError, match="can't start new thread"), merging_:
        merging_.start([[step()]])


def test_a_refused_row_ends_the_pass() -> None:
    """From then on nobody can use the connection as if nothing had happened."""
    merging_, _cursor = merging(Refusal())
    with merging_:
        merging_.start([[step()]])
        for _ in range(2):
            with pytest.raises(PassFailed) as failed:
                merging_.wait()
            assert failed.value.end is End.REFUSED
        with pytest.raises(PassFailed):
            merging_.start([[step()]])


@pytest.mark.timeout(20)
def test_rows_are_merged_in_the_order_they_come() -> None:
    """One after another; the last ones by the thread that waits for them anyway."""
    merging_, cursor = merging()
    with merging_:
        for number in range(50):
            merging_.start([[step(b"%d\tx\n" % number)]])
        merging_.run([[step(b"50\tx\n")]])
    assert cursor.taken == [b"%d\tx\n" % number for number in range(51)]
    assert cursor.threads == ["merge"] * 50 + [threading.current_thread().name]


class Recorder:
    """Stands for all writers: notes what is written, and finds some rows absent."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, absent: int = 0) -> None:
        self.written: list[type] = []
        for writer in (Insert, Patch, Delete, Replace):
            monkeypatch.setattr(writer, "fill", lambda *_: None)
            name = "update" if writer is Replace else "apply"
            monkeypatch.setattr(writer, name, self._written(writer, absent))

    def _written(self, kind: type, absent: int) -> Any:
        def write(_writer: object, _cursor: object, _count: int) -> int:
            self.written.append(kind)
            return absent

        return write


STAGE = Stage(TABLE, ("id", "note"), ("id",), ("=",))
PATCH, DELETE = Patch(STAGE, (TABLE,)), Delete(STAGE, (TABLE,))
REPLACE = Replace(STAGE, (TABLE,), rekeys=False)


@pytest.mark.parametrize(
    ("order", "wanted"),
    [(ORDER, [Delete, Patch, Replace, Insert]), (PARENTS_FIRST, [Insert, Patch, Replace, Delete])],
)
def test_acts_are_done_in_their_order(
    monkeypatch: pytest.MonkeyPatch, order: Sequence[Act], wanted: list[type]
) -> None:
    """However the steps come."""
    recorder = Recorder(monkeypatch)
    steps = [
        step(),
        Step(Act.PATCH, {PATCH: 1}, []),
        Step(Act.DELETE, {DELETE: 1}, []),
        Step(Act.REPLACE, {REPLACE: 1}, []),
    ]
    with merging()[0] as merging_:
        merging_.run(rounds_of(steps, order))
    assert recorder.written == wanted
    assert set(order) == set(Act)


@pytest.mark.parametrize(
    ("act", "absent", "refused"),
    [
        (Act.DELETE, 1, False),
        (Act.LEAVE, 1, False),
        (Act.REMOVE, 2, False),
        (Act.REMOVE_PRESENT, 0, False),
        (Act.REMOVE_PRESENT, 1, True),
        (Act.PATCH, 0, False),
        (Act.PATCH, 2, True),
        (Act.FIND_ABSENT, 2, False),
        (Act.FIND_ABSENT, 1, True),
    ],
)
def test_rows_must_be_there_or_not(
    monkeypatch: pytest.MonkeyPatch, act: Act, absent: int, *, refused: bool
) -> None:
    """Where they are not as the events say, the careful pass finds the event; absent rows are counted."""
    Recorder(monkeypatch, absent)
    with merging()[0] as merging_:
        steps = [Step(act, {PATCH if act is Act.PATCH else DELETE: 2}, [])]
        if refused:
            with pytest.raises(PassFailed):
                merging_.run([steps])
        else:
            merging_.run([steps])
            assert merging_.absent[act] == (absent if act in {Act.DELETE, Act.LEAVE} else 0)
