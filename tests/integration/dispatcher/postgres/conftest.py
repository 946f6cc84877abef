"""What the tests of sessions connect to."""

from __future__ import annotations

import pytest
from harness.servers.database import Database
from psycopg2.extensions import parse_dsn
from tdsup.sandbox import Sandbox


@pytest.fixture
def name(target: Database) -> str:
    """The name of the target database."""
    found: str = parse_dsn(target.dsn)["dbname"]
    return found


@pytest.fixture
def tcp(sandbox: Sandbox, name: str) -> str:
    """A connection string of the target database that goes over the network."""
    return sandbox.target.tcp_dsn(name)


@pytest.fixture
def source_tcp(sandbox: Sandbox, source: Database) -> str:
    """The same of the source database."""
    return sandbox.source.tcp_dsn(parse_dsn(source.dsn)["dbname"])
