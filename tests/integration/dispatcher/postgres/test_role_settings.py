"""Settings of the job's roles: they change nothing of what is loaded, or the check tells what to do."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from harness.rows.check import examined
from harness.rows.job import Keys, drain, job_keys
from harness.servers.database import Database
from harness.servers.queue import Queue

COLUMNS = "id int primary key, day date, note text, tags text[], raw bytea, number float8"

TEXTS = r"""E'back\\slash ''quote'' %s "x"', array['NULL', null, 'a\b'], '\x00ff5c'"""
VALUES = f"(1, '2026-11-24', {TEXTS}, 0.1)"

SETTINGS = {
    "standard_conforming_strings": "off",
    "search_path": "pg_catalog",
    "array_nulls": "off",
    "quote_all_identifiers": "on",
    "transform_null_equals": "on",
    "bytea_output": "escape",
    "extra_float_digits": "-10",
    "lc_messages": "C",
    "DateStyle": "German",
    "IntervalStyle": "iso_8601",
    "client_encoding": "LATIN1",
    "default_transaction_isolation": "serializable",
    "default_transaction_deferrable": "on",
    "statement_timeout": "1h",
    "backslash_quote": "off",
    "xmloption": "document",
    "row_security": "off",
    "lc_numeric": "C",
    "default_tablespace": "pg_default",
}


@pytest.fixture
def role(source: Database, target: Database) -> Iterator[str]:
    """A role on both servers that may do all a job needs; it owns the table of the target."""
    name = "loader_" + target.value("select current_database()")
    for database in (source, target):
        database.execute(f"create role {name} login; create table t ({COLUMNS})")
    source.execute(f"grant pgq_admin to {name}; grant select on t to {name}")
    target.execute(f"grant create on schema public to {name}; alter table t owner to {name}")
    target.execute(f"grant create on database {target.value('select current_database()')} to {name}")
    yield name
    for database in (source, target):
        database.execute(f"drop owned by {name} cascade; drop role {name}")


@pytest.fixture
def keys(source: Database, target: Database, queue: Queue, role: str) -> Keys:
    """Keys of a job of that role; the table's changes go into its queue."""
    queue.attach("t")
    mine = job_keys(source, target, part_field="day")
    for key in ("src_db", "dst_db"):
        mine[key] = str(mine[key]).replace("user=postgres", f"user={role}")
    return mine


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_setting_changes_nothing(
    source: Database, target: Database, queue: Queue, keys: Keys, role: str, setting: str
) -> None:
    """Inserts, updates and a new partition, with quotes, backslashes, NULLs in arrays and bytes."""
    for database in (source, target):
        database.execute(f"alter role {role} set {setting} = '{SETTINGS[setting]}'")
    drain(**keys)
    source.execute(f"insert into t values {VALUES}")
    queue.tick()
    assert drain(**keys)["dead_letters"] == 0
    source.execute("update t set note = note || '!'; insert into t (id, day) values (2, '2026-11-25')")
    queue.tick()
    assert drain(**keys)["dead_letters"] == 0
    assert target.rows("select * from t order by id") == source.rows("select * from t order by id")
    assert examined(keys)[1] == []


def test_transactions_that_are_read_only(target: Database, keys: Keys, role: str) -> None:
    """The check says which statement lifts that."""
    target.execute(f"alter role {role} set default_transaction_read_only = on")
    assert any(
        f"default_transaction_read_only is on; run there: alter role {role} set default_transaction_read_only"
        in fault
        for fault in examined(keys)[1]
    )
    target.execute(f"alter role {role} set default_transaction_read_only = off")
    assert examined(keys)[1] == []


def test_a_role_that_writes_as_a_replica(target: Database, keys: Keys, role: str) -> None:
    """The check tells that triggers and foreign keys do not hold for it."""
    assert not any("session_replication_role" in note for note in examined(keys)[0])
    target.execute(f"alter role {role} set session_replication_role = replica")
    assert any(f"alter role {role} reset session_replication_role" in note for note in examined(keys)[0])


def test_row_security_of_the_target(
    source: Database, target: Database, queue: Queue, keys: Keys, role: str
) -> None:
    """Rows that the policies allow are loaded, though COPY may not; the check tells of them."""
    target.execute(f"alter table t owner to postgres; grant insert, select, update, delete on t to {role}")
    target.execute("alter table t enable row level security; create policy p on t using (id < 100)")
    target.execute(f"alter role {role} set row_security = off")
    mine = {**keys, "part_field": ""}
    drain(**mine)
    source.execute(f"insert into t values {VALUES}; insert into t (id, day) values (2, '2026-11-25')")
    source.execute("update t set note = 'new' where id = 2")
    queue.tick()
    assert drain(**mine)["dead_letters"] == 0
    assert target.rows("select * from t order by id") == source.rows("select * from t order by id")
    notes, faults = examined(mine)
    assert faults == []
    assert any(
        f"row security of public.t holds for role {role}" in note and f"alter role {role} bypassrls" in note
        for note in notes
    )
    source.execute("insert into t (id, day) values (100, '2026-11-25'), (3, '2026-11-25')")
    queue.tick()
    assert drain(**mine, bad_sqlstates="42501")["dead_letters"] == 1
    assert target.column("select id from t order by id") == [1, 2, 3]
