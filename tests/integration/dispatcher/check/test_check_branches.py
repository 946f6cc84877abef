"""The check of a table that is to be partitioned by lists of values first."""

from __future__ import annotations

import pytest
from harness.rows.check import faults_of, fine, statements
from harness.rows.job import Keys, drain, job_keys, settings_of
from harness.servers.database import Database
from harness.servers.queue import Queue
from psycopg2.extensions import make_dsn
from tdsup.dispatcher.rights.oftarget import grants_in_target

COLUMNS = "id int, region text, day date"


@pytest.fixture
def keys(source: Database, target: Database, queue: Queue) -> Keys:
    """Keys of a job that loads by region and day."""
    return job_keys(source, target, part_field="day", part_by="region, day", queue=queue.name)


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (f"({COLUMNS})", "it is not partitioned by list (region), which part_by names first"),
        (
            f"({COLUMNS}) partition by range (day)",
            "it is not partitioned by list (region), which part_by names first",
        ),
        ("(id int, day date) partition by range (day)", "it has no column region, which part_by names"),
        (
            "(id int, region date, day date) partition by list (region)",
            (
                "its column region is of type date, and part_by takes lists of integers, numeric, texts, "
                "booleans, uuids and enums only"
            ),
        ),
    ],
)
def test_tables_that_are_otherwise(target: Database, keys: Keys, made: str, reason: str) -> None:
    """Each is one fault, which says what to do."""
    target.execute(f"create table t {made}")
    (fault,) = faults_of(keys)
    told = f"cannot find the partitions of public.t: {reason}; partition it so, or change part_by"
    assert fault == f"cannot run job: target: {told}"


def test_what_would_be_made(target: Database, queue: Queue, keys: Keys) -> None:
    """The statements for the first event make both partitions; without an event, nothing is said of them."""
    target.execute(f"create table t ({COLUMNS}) partition by list (region)")
    drain(**keys)
    text = fine(keys)
    assert "would be created" not in text
    assert "has no partition yet" not in text
    queue.send("id=1&region=it's&day=2026-11-24")
    text = fine(keys)
    assert "insert of public.t goes to public.t_its__" in text
    assert target.value("select count(*) from pg_inherits") == 0
    for statement in statements(text).split(";\n"):
        target.execute(statement)
    assert "goes to public.t_its__" in fine(keys)
    assert "which is there" in fine(keys)
    drain(**keys)
    assert (
        target.value("select count(*) from t where tableoid::regclass::text ~ '^t_its__.*_2026_11_24$'") == 1
    )


def test_a_day_of_a_list_partition(target: Database, keys: Keys) -> None:
    """Without an event, the first list partition shows how days are made."""
    target.execute(
        f"create table t ({COLUMNS}) partition by list (region); "
        "create table eu partition of t for values in ('eu') partition by range (day)"
    )
    text = fine(keys)
    assert "a row of today goes to public.eu_" in text
    assert "alter table public.eu attach partition public.eu_" in statements(text)


def test_rights_that_are_granted(target: Database, role: str, queue: Queue, keys: Keys) -> None:
    """They let the role load into partitions of others, and make partitions of both kinds."""
    target.execute(
        f"create table t ({COLUMNS}, primary key (id, region, day)) partition by list (region); "
        "create table eu partition of t for values in ('eu') partition by range (day); "
        "create table us partition of t for values in ('us'); "
        "create table eu_old partition of eu for values from (minvalue) to ('2026-01-01')"
    )
    target.execute("\n".join(grants_in_target(settings_of(**keys), role)))
    as_role = {**keys, "dst_db": make_dsn(str(keys["dst_db"]), user=role)}
    assert faults_of(as_role) == []
    drain(**as_role)
    for number, row in enumerate(
        ["eu&day=2025-01-01", "us&day=2026-01-01", "eu&day=2026-01-01", "asia&day=2026-01-01"]
    ):
        queue.send(f"id={number}&region={row}", tick=False)
    queue.tick()
    queue.send("id=1&region=us&day=2026-01-01", type_="D:id")
    assert drain(**as_role)["dead_letters"] == 0
    assert target.column("select id from t order by id") == [0, 2, 3]
