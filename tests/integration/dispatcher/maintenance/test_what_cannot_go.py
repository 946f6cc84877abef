"""A partition that cannot go keeps no other one, and is told."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from harness.keeper import Keeper, tables
from harness.servers.database import Database
from tdsup.dispatcher.maintenance import maintenance
from tdsup.dispatcher.postgres import Connection

DAYS = "create table t (id int, day date)" + "".join(
    f"; create table t_2026_12_{day} () inherits (t)" for day in range(10, 30)
)
"""Twenty that are old enough to go."""


def days(*numbers: int) -> set[str]:
    """The table and some of its partitions."""
    return {"t", *(f"t_2026_12_{number}" for number in numbers)}


def read(target: Database, *numbers: int) -> None:
    """Views read some of the partitions."""
    for number in numbers:
        target.execute(f"create view v{number} as select from t_2026_12_{number}")


def relations(target: Database) -> set[str]:
    """The tables that there are."""
    return set(tables(target))


def test_it_takes_no_place(target: Database, connection: Connection) -> None:
    """Others go as many at a time as they may, the oldest ones first; it is told that more wait."""
    target.execute(DAYS)
    read(target, 10, 11, 12)
    keeper = Keeper(connection, limit=2)
    for last in (14, 16):
        trouble = keeper.look()
        assert trouble.startswith("cannot drop partition public.t_2026_12_10: ")
        assert f"{29 - last} more partitions of public.t wait to go" in trouble
        assert relations(target) == days(10, 11, 12, *range(last + 1, 30))


def test_each_gets_its_turn(
    target: Database, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look tries only some of those that cannot go, and the next one others."""
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(maintenance, "TRIES", 4)
    monkeypatch.setattr(maintenance, "time", SimpleNamespace(monotonic=lambda: clock.now))
    target.execute(DAYS)
    read(target, *range(10, 28))
    process = Keeper(connection, limit=5).process()

    def look() -> None:
        clock.now += 2 * maintenance.EVERY
        process.work(lambda: None)

    look()
    assert relations(target) == days(*range(10, 30))
    for _ in range(4):
        look()
    assert relations(target) == days(*range(10, 28))
    target.execute("drop view v27")
    for _ in range(5):
        look()
    assert relations(target) == days(*range(10, 27))


def test_tables_of_strangers(target: Database, connection: Connection, role: str) -> None:
    """Nothing is done to what another role has made, and named like a partition; it is told."""
    target.execute(
        "create table t (id int, day date); create table t_2026_12_10 (like t);"
        "create table t_2026_12_11 (like t); create table t_2026_12_31 (like t);"
        "create table seen (part text)"
    )
    for table in ("t", "t_2026_12_31", "seen"):
        target.execute(f'alter table {table} owner to "{role}"')
    with connection, connection.cursor() as cursor:
        cursor.execute(f'set role "{role}"')
    keeper = Keeper(connection, sql="insert into seen values ('%(part)s')", limit=1)
    assert keeper.look() == (
        "cannot drop partition public.t_2026_12_10 and 1 others: the job's role does not own all of them and "
        "their parents; tdsup check --connect has the SQL"
    )
    assert target.column("select part from seen") == ["public.t_2026_12_31"]
    assert relations(target) == {*days(10, 11), "seen"}
