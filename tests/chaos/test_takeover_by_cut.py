"""Hosts that are cut off in silence: a standby takes over within 15 s, and nothing doubles."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from harness.programs.program import Program
from harness.rows.orders import Orders
from harness.servers.database import Database
from harness.servers.hosts import Host, Hosts
from harness.waiting import wait_until
from tdsup.sandbox import Cluster, Sandbox

WITHIN = 15.0
"""Seconds from a cut to the next epoch."""

SOON = 3.0
"""Seconds within which a standby works after a death."""

_numbers = itertools.count(1)


class Network:
    """Two hosts that work, each with a process of one consumer, and two with a server.

    Attributes:
        hosts: all of them.
        source, target: the hosts of the servers.
        owner, standby: the others.
    """

    def __init__(self, hosts: Hosts, stack: ExitStack, sandbox: Sandbox) -> None:
        self.hosts = hosts
        self.source, self.target, self.owner, self.standby = (hosts.add() for _ in range(4))
        self._source = stack.enter_context(self.source.cluster(sandbox, sandbox.source))
        self._target = stack.enter_context(self.target.cluster(sandbox, sandbox.target))

    def orders(self, stack: ExitStack) -> tuple[Orders, dict[str, object]]:
        """A new table of orders, and the keys of its job as the hosts that work need them."""
        name = f"cut{next(_numbers)}"
        orders = Orders(_database(stack, self._source, name), _database(stack, self._target, name))
        dsns = {
            "src_db": self.source.dsn(self._source, name),
            "dst_db": self.target.dsn(self._target, name),
        }
        return orders, orders.keys(job_name="orders", **dsns)


def _database(stack: ExitStack, cluster: Cluster, name: str) -> Database:
    cluster.create_database(name)
    database = Database(cluster.dsn(name))
    stack.callback(database.close)
    return database


@pytest.fixture(scope="module")
def network(sandbox: Sandbox) -> Iterator[Network]:
    """The hosts; each test mends what it cuts."""
    with Hosts() as hosts, ExitStack() as stack:
        yield Network(hosts, stack, sandbox)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """What ends with the test."""
    with ExitStack() as made:
        yield made


def _epoch(orders: Orders) -> int:
    epoch: int = orders.target.value("select epoch from tdsup.consumer")
    return epoch


def _start(stack: ExitStack, host: Host, directory: Path, keys: dict[str, object]) -> Program:
    with host.inside():
        return stack.enter_context(Program(directory, **keys))


def _pair(network: Network, stack: ExitStack, directory: Path) -> tuple[Orders, Program, Program]:
    """Orders of which 100 are loaded, the process that has loaded them, and one that stands by."""
    orders, keys = network.orders(stack)
    owner = _start(stack, network.owner, directory / "owner", keys)
    owner.wait_says("registered consumer")
    orders.insert(100)
    orders.wait_loaded()
    standby = _start(stack, network.standby, directory / "standby", keys)
    standby.wait_says("standby: consumer orders works elsewhere: host ")
    return orders, owner, standby


def _mend(network: Network, orders: Orders, owner: Program) -> None:
    """Mend the owner's host: it stands by, and nothing has doubled."""
    epoch = _epoch(orders)
    network.hosts.mend(network.owner)
    owner.wait_says("standby: consumer orders works elsewhere: host ", 40)
    orders.insert(100)
    orders.wait_loaded()
    assert orders.verdict().clean, orders.verdict()
    assert _epoch(orders) == epoch


@pytest.mark.parametrize("servers", ["target", "source", "target source"])
def test_a_cut_owner_is_replaced(network: Network, stack: ExitStack, tmp_path: Path, servers: str) -> None:
    """Cut off from target, source or both while rows flow; mended, it stands by and has doubled nothing."""
    orders, owner, _standby = _pair(network, stack, tmp_path)
    before = _epoch(orders)
    cut = [getattr(network, server) for server in servers.split()]
    began = time.monotonic()
    network.hosts.cut(network.owner, *cut)
    stack.callback(network.hosts.mend, network.owner)

    def is_replaced() -> bool:
        orders.insert(10)
        time.sleep(0.1)
        return _epoch(orders) > before

    wait_until(is_replaced, "the next epoch", 2 * WITHIN)
    assert time.monotonic() - began < WITHIN
    assert _epoch(orders) == before + 1
    orders.wait_loaded(SOON)
    _mend(network, orders, owner)


LOADS = (
    "select exists (select from pg_stat_activity where application_name like 'tdsup orders %%' "
    "and wait_event_type = 'Lock' and query ilike '%%copy%%')"
)


@pytest.mark.parametrize("servers", ["target", "target source"])
def test_an_owner_that_is_cut_amid_its_load_is_replaced(
    network: Network, stack: ExitStack, tmp_path: Path, servers: str
) -> None:
    """Its COPY waits for a lock meanwhile; what it has begun is rolled back, and its row is free."""
    orders, owner, _standby = _pair(network, stack, tmp_path)
    before = _epoch(orders)
    blocker = stack.enter_context(orders.target.another())
    blocker.execute("begin; lock table orders_2026_11_02 in exclusive mode")
    orders.insert(1000)
    orders.target.wait_for(LOADS)
    began = time.monotonic()
    network.hosts.cut(network.owner, *(getattr(network, server) for server in servers.split()))
    stack.callback(network.hosts.mend, network.owner)
    wait_until(lambda: _epoch(orders) > before, "the next epoch", 2 * WITHIN)
    assert time.monotonic() - began < WITHIN
    blocker.execute("rollback")
    orders.wait_loaded()
    _mend(network, orders, owner)


def test_a_host_without_the_source_takes_nothing(network: Network, stack: ExitStack, tmp_path: Path) -> None:
    """The owner dies while its standby is cut off from the source; mended, the standby takes over."""
    orders, owner, standby = _pair(network, stack, tmp_path)
    before = _epoch(orders)
    network.hosts.cut(network.standby, network.source)
    stack.callback(network.hosts.mend, network.standby)
    owner.stop()
    orders.insert(100)
    standby.wait_says("the source database", 30)
    assert _epoch(orders) == before
    network.hosts.mend(network.standby)
    orders.wait_loaded(40)
    assert _epoch(orders) == before + 1
    assert orders.verdict().clean, orders.verdict()
