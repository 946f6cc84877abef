# Long: all of it looks at the same few tables, kept by the same keeper.
"""Old partitions go as the job's file says, and no others."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness.keeper import ALONE, INHERITED, NATIVE, NOW, YOUNG, Keeper, tables
from harness.rows.pipeline import Pipeline
from harness.servers.database import Database
from tdsup.dispatcher.errors import Displaced
from tdsup.dispatcher.maintenance import Maintenance, Present, agenda, removal
from tdsup.dispatcher.postgres import Connection


@pytest.mark.parametrize(
    ("made", "action", "left"),
    [
        (NATIVE, "drop", YOUNG),
        (NATIVE, "detach", {**YOUNG, "old": None, "t_2026_12_31": None}),
        (NATIVE, "move", {**YOUNG, "archive.old": None, "archive.t_2026_12_31": None}),
        (f"{NATIVE}; create table rest partition of t default", "drop", {**YOUNG, "rest": "t"}),
        (
            f"{NATIVE}; create table rest partition of t default",
            "move",
            {**YOUNG, "rest": "t", "archive.old": None, "archive.t_2026_12_31": None},
        ),
        (INHERITED, "drop", YOUNG),
        (INHERITED, "detach", {**YOUNG, "old": None, "t_2026_12_31": None}),
        (INHERITED, "move", {**YOUNG, "archive.old": None, "archive.t_2026_12_31": None}),
        (ALONE, "drop", {"t": None, "t_2027_01_14": None}),
        (
            ALONE,
            "move",
            {"t": None, "t_2027_01_14": None, "archive.t_2026_12_30": None, "archive.t_2026_12_31": None},
        ),
    ],
)
def test_what_becomes_of_old_partitions(
    target: Database, connection: Connection, made: str, action: str, left: dict[str, str | None]
) -> None:
    """Of each kind, whatever they are called; a second look finds nothing to do."""
    target.execute(f"create schema archive; {made}")
    keeper = Keeper(connection, action=action, schema="archive" if action == "move" else "")
    assert not keeper.look()
    assert tables(target) == left
    assert keeper.tally.removed == {action: 2}
    assert not keeper.look()
    assert keeper.tally.removed == {action: 2}


def test_what_never_goes(target: Database, connection: Connection) -> None:
    """The default partition, the parent, what is older only in part, and what nobody knows the bounds of."""
    target.execute(
        "create table t (id int, day date) partition by range (day); "
        "create table t_2020_01_01 partition of t default;"
        "create table part partition of t for values from ('2020-02-01') to ('2027-01-06');"
        "create table u (id int, day date); create table t_2020_01_02 (like u);"
    )
    before = tables(target)
    assert not Keeper(connection).look()
    assert tables(target) == before
    target.execute(
        "drop table t cascade; create table t (id int, day date); create table x () inherits (t);"
        "create table y (check (day >= '2020-01-01' and day < '2020-01-02'), "
        "check (id >= 0 and id < 5), check (day >= '2026-01-01' and day < '2030-01-01')) inherits (t);"
        "create table z () inherits (t);"
        "alter table z add check (day >= '2020-01-01' and day < '2020-01-02') not valid"
    )
    Keeper(connection).look()
    assert tables(target).keys() - {"u"} == {"t", "x", "y", "z"}


def test_at_most_some_at_a_time(target: Database, connection: Connection) -> None:
    """The oldest ones first; the others wait."""
    target.execute(NATIVE)
    keeper = Keeper(connection, limit=1)
    keeper.look()
    assert "old" not in tables(target)
    assert "t_2026_12_31" in tables(target)
    keeper.look()
    assert tables(target) == YOUNG


@pytest.mark.parametrize("applied", [None, NOW - 2 * 86400, NOW + 2 * 86400])
def test_two_clocks_that_differ(target: Database, connection: Connection, applied: float | None) -> None:
    """Nothing goes, and it is told why."""
    target.execute(NATIVE)
    before = tables(target)
    assert Keeper(connection).look(applied).startswith("no partition of public.t goes: ")
    assert tables(target) == before


@pytest.mark.parametrize("taken", [0, 1, 2])
@pytest.mark.parametrize("name", ["old", "t_2026_12_31"])
def test_a_crash_between_two_steps(target: Database, connection: Connection, taken: int, name: str) -> None:
    """Whatever was done by then, a later look does the rest."""
    target.execute(NATIVE)
    keeper = Keeper(connection)
    decisions = keeper.care.decisions(connection, Present(NOW, NOW))
    connection.rollback()
    (decision,) = (each for each in decisions if each.partition.table.table == name)
    steps = agenda.steps(decision, keeper.care.partitioning.parent, keeper.care.lifespan, 150000)
    assert len(steps) == 3
    for step in steps[:taken]:
        for statement in step.statements:
            target.execute(statement)
    assert not keeper.look()
    assert tables(target) == YOUNG


def test_a_reader_who_holds_a_detach_up(
    target: Database, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told, and ended by a later look; meanwhile nobody else waits for it."""
    monkeypatch.setattr(removal, "PATIENCE", "200ms")
    target.execute(NATIVE)
    keeper = Keeper(connection)
    with target.another() as reader:
        reader.execute("begin; select from t")
        assert "lock timeout" in keeper.look()
        assert target.value("select count(*) from t") == 0
    assert not keeper.look()
    assert not keeper.look()
    assert tables(target) == YOUNG


def test_a_reader_beside_a_default_partition(target: Database, connection: Connection) -> None:
    """The parent's lock is waited for only shortly; the partition goes later."""
    target.execute(f"{NATIVE}; create table rest partition of t default")
    keeper = Keeper(connection)
    with target.another() as reader:
        reader.execute("begin; select from t")
        assert "lock timeout (55P03); it is tried again" in keeper.look()
    assert not keeper.look()
    assert tables(target) == {**YOUNG, "rest": "t"}


def test_what_is_done_before(target: Database, connection: Connection, tmp_path: Path) -> None:
    """SQL and a program see the partition as it was, with its bounds."""
    target.execute(f"{NATIVE}; create table log (part text, since date, until date, many bigint)")
    target.execute("insert into t values (1, '2026-12-31'), (2, '2026-12-31')")
    words = "insert into log select '%(part)s', %(start)s, %(end)s, count(*) from %(part)s where 5 %% 2 = 1"
    script = tmp_path / "keep"
    script.write_text(f'#!/bin/sh\necho "$1 $2 $3 $4 $TDSUP_PARENT $TDSUP_ACTION" >> {tmp_path}/seen\n')
    script.chmod(0o755)
    keeper = Keeper(connection, sql=words, program=(str(script), "cold storage"))
    assert not keeper.look()
    assert target.rows("select part, since::text, until::text, many from log order by many") == [
        ("public.old", "-infinity", "2026-12-31", 0),
        ("public.t_2026_12_31", "2026-12-31", "2027-01-01", 2),
    ]
    assert (tmp_path / "seen").read_text().splitlines() == [
        "cold storage public.old -infinity 2026-12-31 public.t drop",
        "cold storage public.t_2026_12_31 2026-12-31 2027-01-01 public.t drop",
    ]
    assert tables(target).keys() == {*YOUNG, "log"}


@pytest.mark.parametrize(
    ("before", "why"),
    [
        ({"sql": "select 1 / 0"}, "retention_sql: division by zero"),
        ({"program": ("false",)}, "retention_program: exit status 1"),
    ],
)
def test_what_fails_before(
    target: Database, connection: Connection, before: dict[str, object], why: str
) -> None:
    """Keeps the partition, and is told."""
    target.execute(NATIVE)
    trouble = Keeper(connection, **before).look()
    assert f"cannot drop partition public.old: {why}" in trouble
    assert "old" in tables(target)


@pytest.mark.parametrize("made", [NATIVE, INHERITED])
@pytest.mark.parametrize(
    ("needs", "what"),
    [
        ("create view v as select id from old", "view public.v"),
        ("create function f (old) returns int language sql as 'select 1'", "function public.f(public.old)"),
        (
            "alter table old add unique (id); create table u (id int references old (id))",
            "constraint u_id_fkey on table public.u",
        ),
        (
            "create sequence s owned by old.id; create table u (id int default nextval('s'))",
            "default value for column id of table public.u",
        ),
    ],
)
def test_what_others_need(target: Database, connection: Connection, made: str, needs: str, what: str) -> None:
    """A partition that a view reads stays where it is, without copies of its rows; the next one goes."""
    target.execute(f"{made}; create table log (part text); {needs}")
    trouble = Keeper(connection, sql="insert into log values ('%(part)s')").look()
    assert trouble.startswith(f"cannot drop partition public.old: {what} depends on it; drop that, or ")
    assert tables(target)["old"] == "t"
    assert "t_2026_12_31" not in tables(target)
    assert target.rows("select part from log") == [("public.t_2026_12_31",)]


def test_what_goes_with_a_partition(target: Database, connection: Connection) -> None:
    """Its own keys, rules and policies keep it not, nor a foreign key to its parent without such rows."""
    part = "t_2026_12_31"
    target.execute(
        f"{NATIVE}; alter table t add primary key (id, day), add up int;"
        "alter table t add foreign key (up, day) references t;"
        "create table u (id int, day date, foreign key (id, day) references t);"
        f"create rule r as on delete to {part} do also select count(*) from {part};"
        f"create policy p on {part} using (id in (select id from {part}));"
        f"create statistics s on id, day from {part};"
        "create function f () returns trigger language plpgsql as 'begin return new; end';"
        f"create trigger tr before insert on {part} for each row execute function f()"
    )
    assert not Keeper(connection).look()
    assert tables(target).keys() == {*YOUNG, "u"}


def test_another_owner(target: Database, connection: Connection) -> None:
    """Who owns the consumer no longer removes nothing."""
    target.execute(NATIVE)
    before = tables(target)
    keeper = Keeper(connection)

    def displaced() -> None:
        raise Displaced("another one works")

    made = Maintenance(
        connection, lambda: [keeper.care], lambda: Present(NOW, NOW), "job", keeper.context, keeper.tally
    )
    with pytest.raises(Displaced):
        made.work(displaced)
    assert tables(target) == before


@pytest.mark.usefixtures("without_pgqd")
def test_a_job_that_keeps_partitions(pipeline: Pipeline, target: Database) -> None:
    """Those of its rows that are old go between batches, others are made ahead, and rows still come."""
    pipeline.drain(part_past="1970-01-01")
    pipeline.source.execute("insert into t select g, current_date - 40 + g from generate_series(1, 10) g")
    pipeline.queue.tick()
    keys = {"retention_period": "35 days", "retention_action": "drop", "premake": 2}
    values = pipeline.drain(**keys)
    assert values["partitions_premade"] == 3
    assert values["partitions_removed"]["drop"] in {4, 5}
    first = target.value("select min(day) from t")
    assert target.value("select %s >= current_date - 36", first)
    pipeline.source.execute("insert into t select 20, current_date - 40 + 1")
    pipeline.queue.tick()
    assert pipeline.drain(**keys)["partitions_removed"] == {"drop": 1}


@pytest.fixture
def marked(target: Database, connection: Connection) -> Database:
    """A native table of which two partitions were about to be detached and dropped when the process died."""
    target.execute(f"create schema archive; {NATIVE}")
    keeper = Keeper(connection)
    decisions = keeper.care.decisions(connection, Present(NOW, NOW))
    connection.rollback()
    for decision in decisions:
        if decision.deed.goes:
            parent, lifespan = keeper.care.partitioning.parent, keeper.care.lifespan
            target.execute(agenda.steps(decision, parent, lifespan, 150000)[0].statements[0])
    assert marks(target) == 2
    return target


def marks(target: Database) -> int:
    """How many tables have a comment that they are to be dropped."""
    count: int = target.value("select count(*) from pg_description where description like 'tdsup drops%'")
    return count


@pytest.mark.parametrize(("action", "schema"), [("detach", ""), ("move", "archive")])
@pytest.mark.parametrize("detached", [False, True])
def test_a_mark_of_another_action(
    marked: Database, connection: Connection, action: str, schema: str, detached: bool
) -> None:
    """It is removed, and the table stays, also at later looks."""
    if detached:
        marked.execute("alter table t detach partition old; alter table t detach partition t_2026_12_31")
    keeper = Keeper(connection, action=action, schema=schema)
    for _ in range(3):
        assert not keeper.look()
    assert marks(marked) == 0
    assert {name.removeprefix("archive.") for name in tables(marked)} == {*YOUNG, "old", "t_2026_12_31"}


def test_a_mark_and_a_longer_period(marked: Database, connection: Connection) -> None:
    """A partition loses it; a table that was detached by then stays until it is so old."""
    marked.execute("alter table t detach partition t_2026_12_31")
    assert not Keeper(connection, period="10 years").look()
    assert tables(marked) == {**YOUNG, "old": "t", "t_2026_12_31": None}
    assert marks(marked) == 1
    assert not Keeper(connection).look()
    assert tables(marked) == YOUNG


def test_a_mark_and_clocks_that_differ(marked: Database, connection: Connection) -> None:
    """Nothing goes by a mark while the present is in doubt."""
    marked.execute("alter table t detach partition old; alter table t detach partition t_2026_12_31")
    assert "the last batch is of 5 days before" in Keeper(connection).look(NOW - 5 * 86400)
    assert {"old", "t_2026_12_31"} <= tables(marked).keys()
    assert not Keeper(connection).look()
    assert tables(marked) == YOUNG


def test_a_mark_whose_detach_cannot_begin(
    target: Database, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes at once, so that who detaches the partition by hand keeps it."""
    monkeypatch.setattr(removal, "PATIENCE", "200ms")
    target.execute(NATIVE)
    with target.another() as other:
        other.execute("begin; lock table only t in share update exclusive mode")
        assert "lock timeout" in Keeper(connection).look()
    assert marks(target) == 0
    target.execute("alter table t detach partition old")
    assert not Keeper(connection).look()
    assert tables(target) == {**YOUNG, "old": None}
