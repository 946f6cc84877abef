"""A job that cannot run says why, and what to do, as the check would."""

from __future__ import annotations

import pytest
from harness.rows.orders import Orders
from harness.servers.database import Database
from tdsup.dispatcher.errors import DataError, SetupError


def test_a_mistyped_table_is_told_with_the_nearest_one(orders: Orders) -> None:
    """The error alone would have a person write a template."""
    orders.drain()
    orders.insert(1)
    with pytest.raises(SetupError, match=r"does not exist .+; target: .+ \(did you mean public\.orders\?\)"):
        orders.drain(dest_table="ordrs", part_template="")


def test_a_missing_right_is_told_with_its_grant(orders: Orders, source: Database) -> None:
    """The server names a function; the person needs the role that has it."""
    source.execute("drop role if exists reader_alone; create role reader_alone login")
    words = [word for word in source.dsn.split() if not word.startswith("user=")]
    wanted = r"permission denied .+; source: .+ run there: grant pgq_reader to \"?reader_alone"
    try:
        with pytest.raises(SetupError, match=wanted):
            orders.drain(src_db=" ".join([*words, "user=reader_alone"]))
    finally:
        source.execute("drop role reader_alone")


def test_what_stops_at_a_bad_event_says_how_it_goes_on(orders: Orders, source: Database) -> None:
    """Nobody can mend an event in a queue."""
    orders.drain()
    source.execute(
        "select pgq.insert_event('orders', 'I:id', 'id=1&day=never', 'public.orders', null, null, null)"
    )
    orders.queue.tick()
    with pytest.raises(DataError, match=r"event \d+ .+; with bad_events = dead_letter in its file, "):
        orders.drain(bad_events="stop")
