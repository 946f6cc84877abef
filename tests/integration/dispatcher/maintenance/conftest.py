"""What tests of maintenance look after."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from harness.servers.database import Database
from tdsup.dispatcher.address import Address
from tdsup.dispatcher.postgres import Connection, connected


@pytest.fixture
def connection(target: Database) -> Iterator[Connection]:
    """A job's, to the target."""
    with connected(Address("target", target.dsn), "test") as made:
        yield made
