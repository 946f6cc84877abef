"""``check --connect`` tells what will keep partitions from being looked after, with the remedy."""

from __future__ import annotations

import pytest
from harness.keeper import Keeper
from harness.rows.pipeline import Pipeline
from harness.servers.database import Database
from tdsup.dispatcher.maintenance import Care, hindrances
from tdsup.dispatcher.partitions import Lifespan, Partitioning
from tdsup.dispatcher.postgres import Connection, TableName

OTHERS = (
    "partition public.t_2020_01_01 cannot go, as role app role does not own all of them and their parents"
)

NO_KEY = (
    "premake makes nothing: part_template says _PKEY, and public.t has no primary key to tell it before the "
    "first event"
)

OLD = {"period": "10 days", "action": "drop"}


def told(connection: Connection, role: str = "app role", template: str = "", **lifespan: object) -> list[str]:
    """What is told of table ``t``."""
    partitioning = Partitioning(TableName("public", "t"), "day", "daily", template, target="day")
    with connection:
        care = Care(partitioning, Lifespan(**lifespan), "UTC")  # type: ignore[arg-type]
        return list(hindrances(connection, care, role))


@pytest.mark.parametrize(
    "kind", [") partition by range (day)", "); create table t_2020_01_03 () inherits (t)"]
)
def test_nothing(target: Database, connection: Connection, kind: str) -> None:
    """All is well with tables of one's own."""
    target.execute(f"create table t (id int, day date{kind}")
    assert not told(connection, premake=3, **OLD)


@pytest.mark.parametrize("by", ["range (made)", "hash (id)", "range (day, id)"])
def test_a_table_that_is_partitioned_otherwise(target: Database, connection: Connection, by: str) -> None:
    """No partition of it can be made ahead."""
    target.execute(f"create table t (id int, day date, made date) partition by {by}")
    (line,) = told(connection, premake=3)
    how, _, of = by.partition(" ")
    assert line == (
        f"premake makes nothing: public.t is partitioned by {how.upper()} {of}, and not by the time that "
        "part_field tells"
    )


def test_rights(target: Database, connection: Connection, role: str) -> None:
    """To partitions of others, and to a schema; what is run as told mends it."""
    target.execute(
        "create table t (id int, day date); create table t_2020_01_01 () inherits (t);"
        "create table t_2020_01_02 () inherits (t); create schema archive"
    )
    target.execute(f'alter table t owner to "{role}"; grant all on schema public to "{role}"')
    target.execute(f'alter table t_2020_01_02 owner to "{role}"')
    with connection.cursor() as cursor:
        cursor.execute(f'set role "{role}"')
    connection.commit()
    lines = told(connection, schema="archive", period="1 day", action="move")
    assert [line.partition("; ")[0] for line in lines] == [
        f"role {role} may not put tables into schema archive (retention_schema)",
        OTHERS,
    ]
    for line in lines:
        target.execute(line.partition("run there")[2].partition(": ")[2])
    assert not told(connection, schema="archive", period="1 day", action="move")


def test_what_cannot_work(target: Database, connection: Connection) -> None:
    """A schema and a program that are not there, a key that nobody tells, and bounds that nobody can read."""
    target.execute("create table t (id int, day date); create table x () inherits (t)")
    template = "create table _DEST_TABLE (primary key (_PKEY)) inherits (_PARENT)"
    lines = told(
        connection,
        template=template,
        premake=1,
        period="1 day",
        action="move",
        schema="nope",
        program=("nix!",),
    )
    assert lines == [
        NO_KEY,
        "no partition goes: there is no program nix! here (retention_program)",
        'there is no schema nope (retention_schema); run there: create schema nope authorization "app role"',
        "partition public.x will never go: the bounds cannot be read, nor the name",
    ]


def test_what_stays_where_it_is(target: Database, connection: Connection) -> None:
    """Tables of their own cannot be detached, nor moved to where they are: nothing is done, and told."""
    target.execute("create table t (id int, day date); create table t_2020_01_01 (like t)")
    (line,) = told(connection, period="1 day", action="detach")
    assert line.startswith("retention_action = detach does nothing: there is nothing to detach partition")
    assert told(connection, period="1 day", action="move", schema="public") == [
        "retention_schema is the schema of public.t, where its partitions are already: name another one"
    ]
    for lifespan in ({"action": "detach"}, {"action": "move", "schema": "public"}):
        keeper = Keeper(connection, **lifespan)
        assert not keeper.look()
        assert not keeper.tally.removed


def test_detached_children(target: Database, connection: Connection) -> None:
    """Once some are detached, nothing is wrong."""
    target.execute(
        "create table t (id int, day date); create table t_2020_01_01 (like t);"
        "create table t_2020_01_02 () inherits (t)"
    )
    assert not told(connection, period="1 day", action="detach")


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({"retention_action": "move", "retention_schema": "public"}, "must not be move while"),
        (
            {"retention_action": "move", "dest_table": "a.t", "retention_schema": "a"},
            "must not be move while",
        ),
        ({"retention_action": "detach", "part_kind": "alone"}, "must be drop or move with part_kind = alone"),
    ],
)
def test_settings_that_do_nothing(pipeline: Pipeline, keys: dict[str, str], reason: str) -> None:
    """What could never go is refused where the file tells so."""
    with pytest.raises(ValueError, match=reason):
        pipeline.drain(retention_period="1 day", **keys)


def test_the_check_says_so(pipeline: Pipeline) -> None:
    """As a warning: the job runs without."""
    keys = {"retention_period": "1 day", "retention_action": "move", "retention_schema": "nope"}
    lines = pipeline.act("check", **keys)
    assert [line for line in lines if "warning" in line and "there is no schema nope" in line]
    assert [
        line
        for line in pipeline.act("check", part_field="", **keys)
        if "premake and retention_period do nothing for public.t, which has no part_field" in line
    ]


def test_a_table_that_has_only_the_name_of_a_partition(pipeline: Pipeline) -> None:
    """Without the column of the time it is none: it neither goes, nor is it emptied."""
    target = pipeline.target
    target.execute("create table t_2001 (total int); insert into t_2001 values (7)")
    pipeline.queue.attach_truncate("t")
    keys = {"part_method": "yearly", "retention_period": "1 year", "retention_action": "drop"}
    pipeline.insert(1)
    pipeline.drain(**keys, row_mode="plain")
    pipeline.source.execute("truncate t")
    pipeline.queue.tick()
    pipeline.drain(**keys, row_mode="plain")
    assert target.value("select count(*) from t") == 0
    assert target.column("select total from t_2001") == [7]


def test_rows_in_the_place_of_a_partition_ahead(pipeline: Pipeline) -> None:
    """Those of the default partition keep it from being made, which is told until they are moved out."""
    target = pipeline.target
    target.execute(
        "drop table t; create table t (id int, day date, note text) partition by range (day);"
        "create table rest partition of t default; insert into t values (1, current_date + 1)"
    )
    pipeline.insert(1)
    with pipeline.running(part_template="", premake=2) as job:
        job.wait_for("running", rows=1, reason="the default partition has rows of its time, or the role may")
        assert "cannot make partition public.t_" in job.context.reports[-1].reason
    assert target.value("select count(*) from pg_inherits") == 4
