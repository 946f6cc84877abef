"""Real servers for all rings, started when a test first asks for them."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.programs.desk import Desk
from harness.rows.orders import Orders
from harness.servers.browser import Browser, browser
from harness.servers.database import Database
from harness.servers.hosts import Hosts
from harness.servers.queue import Queue
from harness.servers.template import copy, quick_sandbox
from tdsup.sandbox import Cluster, Sandbox

_numbers = itertools.count(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Tests may run on servers of any two versions, and with larger batches."""
    parser.addoption(
        "--servers",
        help="versions of source and target, as in 14-18; every: only for script/compatibility",
    )
    parser.addoption(
        "--events", default="100000", help="events of the largest batch of tests/acceptance/test_bulk.py"
    )


@pytest.fixture(scope="session")
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """Source and target servers for the whole run."""
    servers = request.config.getoption("servers")
    with quick_sandbox(servers) as box:
        yield box


def _fresh(cluster: Cluster, prefix: str) -> Iterator[Database]:
    name = f"{prefix}{next(_numbers)}"
    with contextlib.closing(Database(cluster.dsn("postgres"))) as database:
        copy(database, name)
    database = Database(cluster.dsn(name))
    yield database
    database.close()
    cluster.drop_database(name)


@pytest.fixture
def source(sandbox: Sandbox) -> Iterator[Database]:
    """A fresh database with PgQ."""
    yield from _fresh(sandbox.source, "source")


@pytest.fixture
def target(sandbox: Sandbox) -> Iterator[Database]:
    """A fresh, empty database on the other server."""
    yield from _fresh(sandbox.target, "target")


@pytest.fixture
def other_target(sandbox: Sandbox) -> Iterator[Database]:
    """A second empty database beside the target."""
    yield from _fresh(sandbox.target, "other")


@pytest.fixture
def hosts() -> Iterator[Hosts]:
    """A network of hosts that can be cut off from each other; none is there yet."""
    with Hosts() as made:
        yield made


@pytest.fixture
def without_pgqd(sandbox: Sandbox) -> Iterator[None]:
    """Only the test makes ticks; pgqd makes one as soon as an event is inserted, even before its commit."""
    sandbox.ticker.stop()
    yield
    sandbox.ticker.start()


@pytest.fixture
def queue(source: Database) -> Queue:
    """A queue ``q`` that tests fill by hand."""
    queue = Queue(source, "q")
    queue.create()
    return queue


@pytest.fixture
def orders(source: Database, target: Database) -> Orders:
    """A table with its queue, and no consumer yet."""
    return Orders(source, target)


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One browser for all tests; each opens its own page."""
    with browser(tmp_path_factory.mktemp("browser")) as made:
        yield made


@pytest.fixture
def page(chromium: Browser) -> Iterator[Browser]:
    """A wide page in light colours, without a message in the browser's console."""
    chromium.resize(1380, 900)
    chromium.prefer("light")
    chromium.complaints()
    yield chromium
    chromium.open("about:blank")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A desk whose daemons end with the test."""
    made = Desk(tmp_path)
    yield made
    made.fleet.clean_up()
