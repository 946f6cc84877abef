"""What a watcher sees of queues: ticks, events that no count shows, and consumers that were moved."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pytest
from harness.rows.job import settings_of
from harness.servers.database import Database
from harness.servers.queue import Queue
from tdsup.dispatcher.address import Address
from tdsup.dispatcher.pgq.bulletin import Bulletin, tick_of
from tdsup.dispatcher.pgq.ticks import Ticks
from tdsup.dispatcher.postgres import connected

NAME = 'a "strange", \\ and {100} % queue'


class Sight:
    """A watcher's look at queues, without its pace."""

    def __init__(self, address: Address) -> None:
        self.bulletin = Bulletin()
        self._connected = connected(address, "test")
        self._ticks = Ticks(
            self._connected.__enter__(), "pgq", [("q", "job"), (NAME, "job"), ("none", "job")], self.bulletin
        )
        self.now = 0.0

    def close(self) -> None:
        """Disconnect."""
        self._connected.__exit__(None, None, None)

    def look(self) -> set[str]:
        """Names of the queues that are told now."""
        self._ticks.look()
        self._ticks.look_for_events()
        self._ticks.look_at_consumers()
        self.now += 1
        return set(self.bulletin.due(self.now))


@pytest.fixture
def queue(source: Database, without_pgqd: None) -> Queue:
    """A queue, with a consumer, next to one of a strange name."""
    for name in (NAME, "q"):
        made = Queue(source, name)
        made.create()
        source.execute("select pgq.register_consumer(%s, 'job')", name)
    return made


@pytest.fixture
def sight(queue: Queue, source: Database) -> Iterator[Sight]:
    """It has looked once."""
    settings = settings_of(src_db=source.dsn, dst_db=source.dsn, dest_table="t", pgq_queue_name="q")
    made = Sight(settings.source)
    assert made.look() == {"q", NAME}
    yield made
    made.close()


def idle_tick(queue: Queue) -> None:
    """Make a tick as PgQ makes them of an idle queue: a forced one would count as many events."""
    for setting in ("ticker_idle_period", "ticker_max_lag"):
        queue.source.execute("select pgq.set_queue_config(%s, %s, '0.001')", queue.name, setting)
    queue.source.execute("select pg_sleep(0.002)")
    assert queue.source.value("select pgq.ticker(%s)", queue.name)


def test_events_are_told_with_their_tick(queue: Queue, sight: Sight) -> None:
    """Of the queue that has them; a tick without is not told."""
    assert sight.look() == set()
    queue.source.execute("select pgq.insert_event('q', 'I', 'x')")
    assert sight.look() == set()
    queue.tick()
    assert sight.look() == {"q"}
    idle_tick(queue)
    assert sight.look() == set()


@pytest.mark.parametrize("name", ["q", NAME])
def test_events_that_are_not_counted_are_told(queue: Queue, sight: Sight, name: str) -> None:
    """As those that are retried."""
    other = Queue(queue.source, name)
    idle_tick(other)
    sight.look()
    queue.source.execute(
        "select pgq.insert_event_raw(%s, 1, now(), null, null, 'I', 'x', null, null, null, null)", name
    )
    idle_tick(other)
    assert sight.look() == {name}


def test_events_of_a_transaction_that_a_tick_found_open_are_told(queue: Queue, sight: Sight) -> None:
    """The tick counts them, and the next one shows them."""
    with psycopg2.connect(queue.source.dsn) as open_one, open_one.cursor() as cursor:
        cursor.execute("select pgq.insert_event('q', 'I', 'x')")
        queue.source.execute("select pgq.insert_event('q', 'I', 'y')")
        idle_tick(queue)
        sight.look()
        idle_tick(queue)
        assert sight.look() == set()
    open_one.close()
    idle_tick(queue)
    assert sight.look() == {"q"}


def test_a_consumer_that_is_moved_is_told_again(queue: Queue, sight: Sight) -> None:
    """Its job may have nothing new to read, but has to see it; one that goes on needs no word."""
    queue.source.execute("select pgq.insert_event('q', 'I', 'x')")
    queue.tick()
    sight.look()
    queue.source.execute("select pgq.register_consumer_at('q', 'job', (select max(tick_id) from pgq.tick))")
    assert sight.look() == set()
    queue.source.execute(
        "select pgq.register_consumer_at('q', 'job', (select min(tick_id) from pgq.tick t "
        "join pgq.queue on queue_id = tick_queue where queue_name = 'q'))"
    )
    assert sight.look() == {"q"}
    assert sight.look() == set()
    queue.source.execute("select pgq.unregister_consumer('q', 'job')")
    assert sight.look() == {"q"}
    assert sight.look() == set()


def test_a_queue_that_is_made_anew_is_told(queue: Queue, sight: Sight) -> None:
    """One that was dropped is not."""
    idle_tick(queue)
    queue.source.execute("select pgq.unregister_consumer('q', 'job')")
    sight.look()
    queue.source.execute("select pgq.drop_queue('q')")
    assert sight.look() == set()
    queue.create()
    assert sight.look() == {"q"}


def test_without_the_right_to_look_each_tick_is_told(queue: Queue, sight: Sight, source: Database) -> None:
    """A role may have been granted PgQ's functions and no events."""
    source.execute("create role poor login")
    try:
        source.execute(
            "grant usage on schema pgq to poor; "
            "grant select on pgq.tick, pgq.queue, pgq.subscription, pgq.consumer to poor"
        )
        with connected(Address("source", source.dsn), "test") as connection:
            bulletin = Bulletin()
            ticks = Ticks(connection, "pgq", [("q", "job")], bulletin)
            connection.cursor().execute("set role poor")
            ticks.look()
            ticks.look_for_events()
            bulletin.due(0.0)
            idle_tick(queue)
            ticks.look()
            ticks.look_for_events()
            (number,) = bulletin.due(1.0).values()
            assert tick_of(number) == source.value("select last_tick_id from pgq.get_queue_info('q')")
    finally:
        source.execute("drop owned by poor; drop role poor")


def test_nothing_is_asked_while_no_transaction_ends(queue: Queue, source: Database) -> None:
    """A source at rest is asked for a snapshot only: that shows which transactions have ended."""
    source.execute("create role blind; revoke select on pgq.tick from public")
    try:
        with connected(Address("source", source.dsn), "test") as connection:
            ticks = Ticks(connection, "pgq", [("q", "job")], Bulletin())
            ticks.look()
            connection.cursor().execute("set role blind")
            assert ticks.look() is False
            idle_tick(queue)
            with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                ticks.look()
    finally:
        source.execute("drop role blind")


def test_a_transaction_that_ends_after_a_later_one_is_seen(
    queue: Queue, sight: Sight, source: Database
) -> None:
    """The tick of a transaction that was open at the last look comes with no new number of a transaction."""
    with closing(psycopg2.connect(source.dsn)) as slow:
        with slow.cursor() as cursor:
            cursor.execute("select pgq.insert_event('q', 'I', 'x'), pgq.force_tick('q'), pgq.ticker('q')")
        queue.source.execute("create table later ()")
        assert sight.look() == set()
        slow.commit()
        assert sight.look() == {"q"}
