"""The owner of the source says nothing that the target executes."""

from __future__ import annotations

import contextlib
from typing import Any

import psycopg2
import pytest
from harness.rows.job import drain, job_keys
from harness.servers.database import Database
from harness.servers.queue import Queue
from tdsup.dispatcher.address import Address
from tdsup.dispatcher.ledger.identity import end_session
from tdsup.dispatcher.partitions import ColumnType, MissingColumn, Partitioning, TableMaker, Tables
from tdsup.dispatcher.postgres import TableName, connected

pytestmark = pytest.mark.usefixtures("without_pgqd")

TYPES = {
    "varchar(20)": "character varying(20)",
    "numeric(9,2)": "numeric(9,2)",
    "timestamp(3)[]": "timestamp(3) without time zone[]",
    "uuid": "uuid",
    "int4range": "int4range",
    "regclass": "regclass",
    "here.word": "here.word",
    "here.mood": "here.mood",
    "here.mood[]": "here.mood[]",
    # A composite, and what is made of it, would tie the column to a table of the target.
    "here.pair": "text",
    "here.pair[]": "text",
    "there.alone": "text",
    'there."int); create table stolen (); --"': "text",
}
"""The type of a new column of the target, by its type in the source."""

IN_BOTH = """
    create schema here; create domain here.word as varchar(9); create type here.mood as enum ('good', 'bad');
    create table here.pair (a int, b int)"""

IN_SOURCE = f"""{IN_BOTH};
    create schema there; create domain there.alone as int;
    create domain there."int); create table stolen (); --" as int"""


@pytest.fixture
def keys(source: Database, target: Database, queue: Queue) -> dict[str, Any]:
    """A job that adds columns."""
    source.execute(IN_SOURCE)
    target.execute(f"{IN_BOTH}; create table t (id int primary key)")
    return job_keys(source, target, on_new_column="add")


def test_types_are_found_among_the_target_s_own(
    source: Database, target: Database, queue: Queue, keys: dict[str, Any]
) -> None:
    """By schema and name, with their lengths; what it lacks, or what would bind it, is text."""
    source.execute(
        f"create table t (id int primary key, {', '.join(f'c{n} {type_}' for n, type_ in enumerate(TYPES))})"
    )
    queue.attach("t")
    drain(**keys)
    source.execute("insert into t (id) values (1)")
    queue.tick()
    assert drain(**keys)["dead_letters"] == 0
    found = target.column(
        "select format_type(atttypid, atttypmod) from pg_attribute "
        "where attrelid = 't'::regclass and attnum > 1 order by attname"
    )
    assert sorted(found) == sorted(TYPES.values())
    assert target.value("select to_regclass('stolen') is null")


@pytest.mark.parametrize(
    ("name", "modifier", "shown"),
    [
        ("varchar", 24, "character varying(20)"),
        ("varchar", 2_000_000_000, "text"),
        ("numeric", -7, "numeric"),
        ("text); drop table t; --", -1, "text"),
        ("varchar", "24); drop table t; --", "text"),
    ],
)
def test_a_server_that_lies(target: Database, name: str, modifier: Any, shown: str) -> None:
    """Whatever it gives for a name and a modifier, it is data."""
    target.execute("create table t (id int)")
    parent = TableName("public", "t")
    partitioning = Partitioning(parent, "", "daily", "")
    with connected(Address("target", target.dsn), "me") as connection:
        maker = TableMaker(connection, Tables(connection, partitioning), partitioning, "UTC")
        missing = MissingColumn(parent, "c", "public.t", "c")
        assert maker.add_column(missing, ColumnType("pg_catalog", name, modifier)) == shown
    assert (
        target.value("select count(*) from pg_attribute where attrelid = 't'::regclass and attname = 'c'")
        == 1
    )


@pytest.mark.parametrize("owner", ["", "ql", "psql", "_" * 16])
def test_the_owner_of_the_target_ends_no_session_of_the_source(source: Database, owner: str) -> None:
    """What the target calls the former owner of a consumer is the name of a process of ours, or nobody's."""
    name = f"psql {owner}"
    with (
        contextlib.closing(psycopg2.connect(source.dsn, application_name=name)) as victim,
        connected(Address("source", source.dsn), "me") as connection,
        connection.cursor() as cursor,
    ):
        end_session(cursor, victim.info.backend_pid, None, owner)
        connection.commit()
        with victim.cursor() as asked:
            asked.execute("select 1")


def test_keys_match_as_their_index_does(source: Database, target: Database, queue: Queue) -> None:
    """Of citext without regard to case, wherever citext lives; of text with it."""
    target.execute(
        "create schema ext; create extension citext schema ext; "
        "create table t (id ext.citext primary key, kind text, note text)"
    )
    keys = job_keys(source, target, row_mode="plain")
    drain(**keys)
    queue.send("id=Anna&kind=a&note=old", "id=Ben&kind=a&note=old", "id=CLEO&kind=a&note=old")
    queue.send("id=ANNA&kind=a&note=new", type_="U:id", tick=False)
    queue.send("id=ben&kind=a", type_="D:id")
    assert drain(**keys)["dead_letters"] == 0
    assert target.rows("select id::text, note from t order by id") == [("Anna", "new"), ("CLEO", "old")]
