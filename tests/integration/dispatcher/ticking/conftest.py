"""A source where nobody ticks but the tests' own tickers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.servers.database import Database

PL_ONLY = next(Path("/usr/share/postgresql").glob("*/contrib/pgq_pl_only.sql"))


@pytest.fixture(autouse=True)
def _nobody_else(without_pgqd: None) -> None:
    """No pgqd."""


@pytest.fixture(params=["extension", "PL only", "PgQue"])
def schema(source: Database, request: pytest.FixtureRequest) -> str:
    """That of PgQ in the source, which has a queue ``q``; PgQue is made from PgQ without C."""
    schema = "pgque" if request.param == "PgQue" else "pgq"
    if request.param != "extension":
        source.execute("drop extension pgq cascade; drop schema if exists pgq cascade")
        text = PL_ONLY.read_text(encoding="utf-8").replace("pgq.", f"{schema}.")
        source.execute(text.replace("schema pgq", f"schema {schema}").replace("'pgq'", f"'{schema}'"))
    source.execute(f"select {schema}.create_queue('q')")
    return schema


@pytest.fixture
def admin(source: Database) -> Iterator[str]:
    """The source's connection string for a role that is a member of ``pgq_admin`` and nothing else."""
    name = "admin_" + source.value("select current_database()")
    source.execute(f"create role {name} login in role pgq_admin")
    yield source.dsn.replace("user=postgres", f"user={name}")
    source.execute(f"drop owned by {name}; drop role {name}")
