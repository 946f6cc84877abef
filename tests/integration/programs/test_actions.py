"""What people may have done about a consumer: register, unregister, rewind, reset."""

from __future__ import annotations

import pytest
from harness.rows.job import RunningJob, drain, settings_of
from harness.rows.orders import Orders
from harness.servers.database import Database
from harness.servers.pgq_ext import PGQ_EXT
from tdsup.dispatcher.actions import ACTIONS
from tdsup.dispatcher.errors import LostPosition, SetupError


@pytest.fixture(params=["own", "pgq_ext"])
def orders(source: Database, target: Database, request: pytest.FixtureRequest) -> Orders:
    """A table with its queue; the position is kept in either place."""
    if request.param == "pgq_ext":
        target.execute(PGQ_EXT.read_text(encoding="utf-8"))
    return Orders(source, target)


def act(orders: Orders, name: str) -> list[str]:
    """The lines of an action."""
    (action,) = (action for action in ACTIONS if action.name == name)
    return list(action.run(settings_of(**orders.keys(loop_delay=0)), ()))


def load(orders: Orders) -> None:
    """Run the job until its queue is empty."""
    drain(**orders.keys(loop_delay=0))


@pytest.fixture
def keys(orders: Orders) -> Orders:
    """The same, registered and with a first batch loaded."""
    assert act(orders, "register") == ["registered consumer job on queue orders"]
    orders.insert(5)
    load(orders)
    return orders


def test_register_is_done_once(orders: Orders) -> None:
    """A second time says so; what is inserted meanwhile is loaded."""
    assert act(orders, "register") == ["registered consumer job on queue orders"]
    orders.insert(5)
    assert act(orders, "register") == ["consumer job on queue orders is registered already"]
    load(orders)
    orders.wait_loaded(0)


def test_unregister_forgets_both_sides(source: Database, keys: Orders) -> None:
    """The source holds no event for it any more, and it can begin anew."""
    assert act(keys, "unregister") == ["unregistered consumer job on queue orders"]
    assert source.value("select count(*) from pgq.get_consumer_info()") == 0
    assert act(keys, "unregister") == ["consumer job on queue orders was not registered"]
    load(keys)
    keys.insert(5)
    load(keys)
    keys.wait_loaded(0)


def test_rewind_and_reset_mend_a_lost_position(source: Database, target: Database, keys: Orders) -> None:
    """Rewind repeats what a restored source or target lacks; reset takes the source's word."""
    keys.insert(5)
    load(keys)
    first = source.value("select min(tick_id) from pgq.tick")
    source.execute("select pgq.register_consumer_at('orders', 'job', %s)", first)
    with pytest.raises(LostPosition):
        load(keys)
    (line,) = act(keys, "rewind")
    assert line.startswith("rewound consumer job on queue orders to tick ")
    keys.insert(5)
    load(keys)
    assert target.column("select id from orders order by id") == list(range(1, 16))
    source.execute("select pgq.register_consumer_at('orders', 'job', %s)", first)
    target.execute("truncate orders")
    act(keys, "reset")
    load(keys)
    assert target.column("select id from orders order by id") == list(range(1, 16))


def test_rewind_needs_a_position(orders: Orders) -> None:
    """Of a consumer that never loaded there is none."""
    act(orders, "register")
    with pytest.raises(
        SetupError, match="cannot rewind consumer job on queue orders: the target has no position"
    ):
        act(orders, "rewind")


@pytest.mark.parametrize("name", ["rewind", "reset", "unregister"])
def test_a_working_consumer_is_left_alone(orders: Orders, name: str) -> None:
    """Its position is its own as long as it works."""
    with RunningJob(**orders.keys()) as job:
        job.wait_for("running")
        with pytest.raises(
            SetupError, match=f"cannot {name} consumer job .*: it works at this moment: tdsup job"
        ):
            act(orders, name)
