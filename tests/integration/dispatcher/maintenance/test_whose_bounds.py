"""Only bounds of the time of rows let a partition go, and only partitions of the job's own table go."""

from __future__ import annotations

import pytest
from harness.keeper import NOW, YOUNG, Keeper, tables
from harness.rows.pipeline import Pipeline, Table
from harness.servers.database import Database
from harness.servers.queue import Queue
from tdsup.dispatcher.maintenance import Present, agenda
from tdsup.dispatcher.postgres import Connection

LONG_AGO = "birthday >= '1900-01-01' and birthday < '2026-01-01'"

BY_BIRTHDAY = (
    "create table t (id int, day date, birthday date) partition by range (day);"
    "create table t_2027_01 partition of t for values from ('2027-01-01') to ('2027-02-01') "
    "partition by range (birthday);"
    "create table t_2027_01_old partition of t_2027_01 for values from ('1900-01-01') to ('2000-01-01')"
)


def test_a_check_of_another_column(queue: Queue, target: Database) -> None:
    """The partition of today stays, whatever its parent says of other dates."""
    table = Table(columns=f"id int primary key, at timestamptz, birthday date check ({LONG_AGO})")
    pipeline = Pipeline(queue, target, table, part_field="at")
    pipeline.drain()
    pipeline.source.execute("insert into t values (1, now(), '1990-01-01')")
    pipeline.queue.tick()
    pipeline.drain()
    values = pipeline.drain(retention_period="90 days", retention_action="drop")
    assert not values["partitions_removed"]
    assert target.value("select count(*) from t") == 1


def test_a_child_with_checks(target: Database, connection: Connection) -> None:
    """One of another column is no bound; where that is the only one, the name counts."""
    target.execute(
        "create table t (id int, day date, birthday date);"
        f"create table young (check ({LONG_AGO}), check (day >= '2027-01-14' and day < '2027-01-15')) "
        "inherits (t);"
        f"create table t_2027_01_13 (check ({LONG_AGO})) inherits (t);"
        "create table t_2026_12_31 (check (birthday >= '2020-01-01' and birthday < '2100-01-01')) "
        "inherits (t);"
        f"create table nameless (check ({LONG_AGO})) inherits (t)"
    )
    assert not Keeper(connection).look()
    assert tables(target).keys() == {"t", "young", "t_2027_01_13", "nameless"}


@pytest.mark.parametrize("column", ["day", '"order"', '"a "" b"'])
def test_a_check_of_the_parent(target: Database, connection: Connection, column: str) -> None:
    """What it says of the time of all rows, such as that it is sane, is of no child's period."""
    target.execute(
        f"create table t (id int, {column} date, check ({column} >= '2000-01-01' "
        f"and {column} < '2100-01-01'));"
        f"create table old (check ({column} >= '2026-12-30' and {column} < '2026-12-31')) inherits (t);"
        "create table t_2026_12_31 () inherits (t); create table t_2027_01_14 () inherits (t)"
    )
    name = column.strip('"').replace('""', '"')
    assert not Keeper(connection, target=name).look()
    assert tables(target) == YOUNG


@pytest.mark.parametrize("column", ["day", ""])
def test_parts_of_a_partition(target: Database, connection: Connection, column: str) -> None:
    """Parts by another column have no time of their own, also where the job knows no column of the time."""
    target.execute(BY_BIRTHDAY)
    before = tables(target)
    assert not Keeper(connection, target=column).look()
    assert tables(target) == before


@pytest.mark.parametrize("column", ["day", ""])
def test_parts_by_the_time(target: Database, connection: Connection, column: str) -> None:
    """Of a table that is partitioned by something else first, the parts go."""
    target.execute(
        "create table t (id int, day date, region text) partition by list (region);"
        "create table t_eu partition of t for values in ('eu') partition by range (day);"
        "create table eu_old partition of t_eu for values from ('2026-12-01') to ('2027-01-01');"
        "create table eu_young partition of t_eu for values from ('2027-01-01') to ('2027-02-01')"
    )
    assert not Keeper(connection, target=column).look()
    assert tables(target) == {"t": None, "t_eu": "t", "eu_young": "t_eu"}


def test_a_table_cut_by_another_column(target: Database, connection: Connection) -> None:
    """Its bounds tell nothing of the time, so that nothing goes."""
    target.execute(
        "create table t (id int, day date, birthday date) partition by range (birthday);"
        "create table t_2026_12_31 partition of t for values from ('1900-01-01') to ('2000-01-01')"
    )
    before = tables(target)
    assert not Keeper(connection).look()
    assert tables(target) == before


OLD = "t_2026_12_31 partition of t for values from ('2026-12-31') to ('2027-01-01')"

SWAPS = {
    "native": f"create table t (id int, day date) partition by range (day); create table {OLD}",
    "inherited": "create table t (id int, day date); create table t_2026_12_31 () inherits (t)",
}


@pytest.mark.parametrize("after", ["(id bigint, day date)", "(id bigint, day date) partition by range (day)"])
@pytest.mark.parametrize("kind", SWAPS)
def test_partitions_of_a_renamed_table(
    target: Database, connection: Connection, kind: str, after: str
) -> None:
    """They are its own, although a new table has its name."""
    target.execute(f"{SWAPS[kind]}; alter table t rename to t_keep; create table t {after}")
    before = tables(target)
    assert not Keeper(connection).look()
    assert tables(target) == before


def test_a_renamed_table_of_which_one_was_to_go(target: Database, connection: Connection) -> None:
    """What was to be dropped from the former table stays there."""
    target.execute(SWAPS["native"])
    keeper = Keeper(connection)
    with connection:
        (decision,) = keeper.care.decisions(connection, Present(NOW, NOW))
    first = agenda.steps(decision, keeper.care.partitioning.parent, keeper.care.lifespan, 150000)[0]
    for statement in first.statements:
        target.execute(statement)
    target.execute(
        "alter table t rename to t_keep; create table t (id int, day date) partition by range (day)"
    )
    before = tables(target)
    assert not keeper.look()
    assert tables(target) == before


def test_a_child_of_two_tables(target: Database, connection: Connection) -> None:
    """One that is of others, too, stays."""
    target.execute(
        "create table t (id int, day date); create table u (id int, day date);"
        "create table t_2026_12_31 () inherits (t, u); create table t_2026_12_30 () inherits (u, t);"
        "create table month () inherits (t); create table t_2026_12_29 () inherits (t, month)"
    )
    Keeper(connection).look()
    assert tables(target).keys() == {"t", "u", "t_2026_12_31", "t_2026_12_30", "month"}


@pytest.mark.parametrize(("kind", "stays"), [("auto", True), ("alone", False)])
def test_a_native_table_without_partitions(
    target: Database, connection: Connection, kind: str, *, stays: bool
) -> None:
    """What was detached stays, also after all others are gone; unless the job's partitions stand alone."""
    target.execute(
        f"create table t (id int, day date) partition by range (day); create table {OLD};"
        "alter table t detach partition t_2026_12_31"
    )
    keeper = Keeper(connection, kind=kind)
    assert not keeper.look()
    assert ("t_2026_12_31" in tables(target)) == stays


def test_another_unit_of_time(target: Database, connection: Connection) -> None:
    """Seconds that are taken for milliseconds are all of 1970: nothing goes, but for what is called so."""
    target.execute(
        "create table t (id int, day bigint) partition by range (day);"
        "create table t_2027_01_14 partition of t for values from (1799884800) to (1799971200);"
        "create table t_1970_01_01 partition of t for values from (0) to (86400000)"
    )
    trouble = Keeper(connection, epoch="milliseconds").look()
    assert trouble == (
        "partition public.t_2027_01_14 will not go: by part_epoch the bounds are of 1970, and the name is not"
    )
    assert tables(target).keys() == {"t", "t_2027_01_14"}
    assert not Keeper(connection, epoch="seconds").look()
    assert tables(target).keys() == {"t", "t_2027_01_14"}
    assert not Keeper(connection, epoch="seconds").look(NOW + 20 * 86400, NOW + 20 * 86400)
    assert tables(target).keys() == {"t"}


def test_numbers_at_the_ends(target: Database, connection: Connection) -> None:
    """What is before 1970 goes; NaN is the greatest number of all, and its partition stays."""
    target.execute(
        "create table t (id int, day float8) partition by range (day);"
        "create table first partition of t for values from (minvalue) to (-86400);"
        "create table t_1969_12_31 partition of t for values from (-86400) to (0);"
        "create table last partition of t for values from (0) to ('NaN')"
    )
    assert not Keeper(connection, epoch="milliseconds").look()
    assert tables(target).keys() == {"t", "last"}
