"""What people can do with a consumer: register, unregister, rewind, reset."""

from __future__ import annotations

import pytest
from harness.paths import PGQ_EXT
from harness.rows.orders import Orders
from harness.servers.database import Database
from tdsup.dispatcher.errors import LostPosition, SetupError


@pytest.fixture(params=["own", "pgq_ext"])
def orders(source: Database, target: Database, request: pytest.FixtureRequest) -> Orders:
    """A table with its queue; positions are kept in tdsup's schema, or in pgq_ext."""
    if request.param == "pgq_ext":
        target.execute(PGQ_EXT.read_text(encoding="utf-8"))
    return Orders(source, target)


@pytest.fixture
def registered(orders: Orders) -> Orders:
    """The same, registered, with a first batch loaded."""
    said, position = orders.act("register")
    assert said == "registered consumer job on queue orders"
    assert position == f"its position is tick {orders.queue.last_tick('job')}"
    orders.insert(5)
    orders.drain()
    return orders


def test_register_is_done_once(orders: Orders) -> None:
    """The second time says so and moves nothing; what is inserted in between is loaded."""
    assert orders.act("register")[0] == "registered consumer job on queue orders"
    orders.insert(5)
    assert orders.act("register") == ["consumer job on queue orders is registered already"]
    orders.drain()
    orders.wait_loaded(0)


def test_unregister_forgets_both_sides(source: Database, registered: Orders) -> None:
    """The source keeps no events for it any more, and it can start over."""
    assert registered.act("unregister") == ["unregistered consumer job on queue orders"]
    assert source.value("select count(*) from pgq.get_consumer_info()") == 0
    assert registered.act("unregister") == ["consumer job on queue orders was not registered"]
    registered.drain()
    registered.insert(5)
    registered.drain()
    registered.wait_loaded(0)


def test_rewind_and_reset_mend_a_lost_position(
    source: Database, target: Database, registered: Orders
) -> None:
    """Rewind repeats what a restored source or target lacks; reset takes the source's word."""
    registered.insert(5)
    registered.drain()
    first = source.value("select min(tick_id) from pgq.tick")
    source.execute("select pgq.register_consumer_at('orders', 'job', %s)", first)
    with pytest.raises(LostPosition):
        registered.drain()
    (line,) = registered.act("rewind")
    assert line.startswith(f"rewound consumer job on queue orders, which was at tick {first}, to the ")
    registered.insert(5)
    registered.drain()
    assert target.column("select id from orders order by id") == list(range(1, 16))
    source.execute("select pgq.register_consumer_at('orders', 'job', %s)", first)
    target.execute("truncate orders")
    registered.act("reset")
    registered.drain()
    assert target.column("select id from orders order by id") == list(range(1, 16))


def test_rewind_needs_a_position(orders: Orders) -> None:
    """A consumer that never ran has none, though somebody else may have registered it."""
    orders.source.execute("select pgq.register_consumer('orders', 'job')")
    with pytest.raises(
        SetupError, match="cannot rewind consumer job on queue orders: the target has no position"
    ):
        orders.act("rewind")


@pytest.mark.parametrize("name", ["register", "rewind", "reset", "unregister", "retire"])
def test_a_working_consumer_is_left_alone(orders: Orders, name: str) -> None:
    """Nobody changes its position while it works."""
    with orders.running() as job:
        job.wait_for("running")
        with pytest.raises(
            SetupError,
            match=f"cannot {name} consumer job .* it works at this moment: (host|another) .*; stop it first",
        ):
            orders.act(name)
