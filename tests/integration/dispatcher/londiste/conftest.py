"""A table that both programs load."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from harness.londiste.pair import Pair
from harness.londiste.worker import mended
from harness.servers.database import Database
from harness.servers.queue import Queue
from tdsup.sandbox import Sandbox


@pytest.fixture(scope="module")
def pair(sandbox: Sandbox) -> Iterator[Pair]:
    """Three databases for all tests of a module; only these make ticks."""
    sandbox.ticker.stop()
    # Londiste wants PgQ in its target.
    servers = {"events": sandbox.source, "ours": sandbox.target, "theirs": sandbox.source}
    for name, cluster in servers.items():
        cluster.create_database(name)
    source, ours, theirs = (Database(cluster.dsn(name)) for name, cluster in servers.items())
    queue = Queue(source, "q")
    queue.create()
    with mended():
        yield Pair(queue, ours, theirs)
    for database in (source, ours, theirs):
        database.close()
    for name, cluster in servers.items():
        cluster.drop_database(name)
    sandbox.ticker.start()
