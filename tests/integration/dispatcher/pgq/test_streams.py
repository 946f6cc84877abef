"""Streams of a batch: whoever receives them may end them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest
from harness.rows.job import settings_of
from harness.servers.database import Database
from tdsup.dispatcher.address import Address
from tdsup.dispatcher.errors import Enough
from tdsup.dispatcher.pgq import Batch
from tdsup.dispatcher.pgq import Queue as Reader
from tdsup.dispatcher.postgres import connected

EVENTS = 3000


class Receiver:
    """Counts what comes, and raises an error at one time."""

    def __init__(self, error: Exception, at: int) -> None:
        self.count = 0
        self._error = error
        self._at = at

    def __call__(self, _data: bytes) -> None:
        """Take a piece."""
        self.count += 1
        if self.count == self._at:
            raise self._error


@pytest.fixture
def reader(source: Database, without_pgqd: None) -> Iterator[tuple[Reader, Batch]]:
    """A consumer of a queue, and its open batch of many large events."""
    source.execute("select pgq.create_queue('q'); select pgq.register_consumer('q', 'job')")
    source.execute(
        "select pgq.insert_event('q', 'I:id', 'id=' || g || '&note=' || repeat('x', 500)) "
        f"from generate_series(1, {EVENTS}) g"
    )
    source.execute("select pgq.force_tick('q'); select pgq.ticker()")
    settings = settings_of(src_db=source.dsn, dst_db=source.dsn, queue_name="q", dest_table="t")
    with connected(Address("source", source.dsn), "test") as connection:
        queue = Reader(connection, settings)
        batch = queue.next_batch()
        assert batch is not None
        yield queue, batch


@pytest.mark.parametrize("blocks", [False, True])
def test_enough_is_raised_at_the_end(reader: tuple[Reader, Batch], blocks: bool) -> None:
    """Nothing more is handed over, and the connection stays usable: the batch can be read again."""
    queue, batch = reader
    read = partial(queue.stream, ordered=False, leading=["ev_id"]) if blocks else queue.read
    receiver = Receiver(Enough(), at=2)
    with pytest.raises(Enough):
        read(batch, receiver)
    assert receiver.count == 2
    lines: list[bytes] = []
    read(batch, lines.append)
    assert b"".join(lines).count(b"\n") == EVENTS
    queue.finish(batch)
    assert queue.next_batch() is None


@pytest.mark.parametrize("blocks", [False, True])
def test_any_other_error_is_raised_at_once(reader: tuple[Reader, Batch], blocks: bool) -> None:
    """Who knows whether the receiver could take what would still come."""
    queue, batch = reader
    read = partial(queue.stream, ordered=False, leading=["ev_id"]) if blocks else queue.read
    receiver = Receiver(MemoryError(), at=2)
    with pytest.raises(MemoryError):
        read(batch, receiver)
    assert receiver.count == 2


def test_an_ordered_stream_is_what_is_read(reader: tuple[Reader, Batch]) -> None:
    """In blocks instead of lines, without the columns that a fold does not need."""
    queue, batch = reader
    lines: list[bytes] = []
    blocks: list[bytes] = []
    queue.read(batch, lines.append)
    queue.stream(batch, blocks.append, ordered=True, leading=["ev_id", "ev_time"])
    fields = [line.removesuffix(b"\n").split(b"\t") for line in lines]
    assert b"".join(blocks) == b"".join(b"\t".join((each[0], each[1], *each[4:8])) + b"\n" for each in fields)
    assert 1 < len(blocks) < len(lines)
    assert all(block.endswith(b"\n") for block in blocks)
