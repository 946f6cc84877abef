"""Truncates of tables that refer to each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from harness.rows.job import drain, job_keys
from harness.servers.database import Database
from harness.servers.queue import Queue

TABLES = ("par", "chi", "grand", "other")

MADE = """
create table par (id int primary key, up int references par);
create table chi (id int primary key, par int references par);
create table grand (id int primary key, chi int references chi);
create table other (id int primary key);
"""

ROWS = (
    "insert into par values (1, 1), (2, 1); insert into chi values (1, 1), (2, 2); "
    "insert into grand values (1, 1); insert into other values (1)"
)

CYCLE = "alter table par add foreign key (id) references grand (id) deferrable initially deferred"


class Family:
    """Tables with the same foreign keys in both databases, whose truncates feed a queue."""

    def __init__(self, queue: Queue, target: Database) -> None:
        self.queue, self.source, self.target = queue, queue.source, target
        for database in (self.source, target):
            database.execute(MADE)
        for table in TABLES:
            queue.attach(table)
            queue.attach_truncate(table)
        self.load()
        self.run(ROWS)

    def run(self, *statements: str) -> Mapping[str, Any]:
        """Run statements on the source, in one tick, and load them."""
        for statement in statements:
            self.source.execute(statement)
        return self.load()

    def load(self) -> Mapping[str, Any]:
        """Load what is in the queue."""
        self.queue.tick()
        keys = job_keys(self.source, self.target)
        del keys["dest_table"]
        return drain(**keys, tables={"*": {}})

    def check(self) -> None:
        """Fail unless all tables are the same in both databases."""
        for table in TABLES:
            query = f"select * from {table} order by 1"
            assert self.target.rows(query) == self.source.rows(query), table


@pytest.fixture
def family(target: Database, queue: Queue) -> Family:
    """The tables, with some rows."""
    return Family(queue, target)


@pytest.mark.parametrize(
    "truncate", ["truncate par, chi, grand", "truncate grand, chi, par", "truncate chi, other, par, grand"]
)
def test_tables_that_refer_to_each_other_are_emptied_together(family: Family, truncate: str) -> None:
    """Whichever is named first; what came before goes, what comes after stays."""
    assert family.run(truncate)["outcomes"] == {"truncate,row": truncate.count(",") + 1}
    family.check()
    values = family.run(ROWS.replace("insert into other values (1)", ""), truncate, ROWS.partition(";")[0])
    assert values["dead_letters"] == 0
    family.check()


@pytest.mark.parametrize("way", ["as_it_is", "row_path"], indirect=True)
@pytest.mark.usefixtures("way")
def test_a_cycle_is_emptied_at_once(family: Family) -> None:
    """No order of deletes would do."""
    for database in (family.source, family.target):
        database.execute("delete from grand; delete from chi; delete from par")
        database.execute(f"{CYCLE}; alter table par alter id set default 0")
    family.queue.tick()
    family.load()
    family.run(
        "begin; insert into par values (1, 1); insert into chi values (1, 1); "
        "insert into grand values (1, 1); commit"
    )
    family.check()
    assert family.run("truncate par, chi, grand")["outcomes"] == {"truncate,row": 3}
    family.check()


@pytest.mark.parametrize(
    ("tables", "between"),
    [
        (("par", "chi", "grand"), "other"),
        (("grand", "par", "chi"), "other"),
        (("chi", "grand"), "par"),
        (("grand", "chi"), "par"),
    ],
)
def test_events_of_others_come_between(family: Family, tables: tuple[str, ...], between: str) -> None:
    """Of transactions that run at the same time."""
    for number, table in enumerate(tables, 7):
        family.queue.insert("R", None, f"public.{table}")
        family.queue.insert("I:id", f"id={number}", f"public.{between}")
    assert family.load()["dead_letters"] == 0
    for table in tables:
        assert family.target.rows(f"select * from {table}") == []
    added = family.target.column(f"select id from {between} where id > 6 order by 1")
    assert added == [7, 8, 9][: len(tables)]


def test_where_others_refer_to_it_rows_are_deleted(family: Family) -> None:
    """If the foreign key lets them go; else the truncate is a dead letter, and the rest is loaded."""
    family.target.execute("create table notes (par int references par (id)); insert into notes values (2)")
    values = family.run("truncate par, chi, grand", "insert into other values (2)")
    assert values["outcomes"] == {"truncate,row": 2, "truncate,dead_letter": 1, "insert,row": 1}
    assert family.target.column("select id from par order by id") == [1, 2]
    assert family.target.column("select id from chi union all select id from grand") == []
    (reason,) = family.target.column("select reason from tdsup.dead_letter")
    assert reason.startswith('update or delete on table "par" violates foreign key constraint')
    family.target.execute("truncate notes")
    assert family.run("truncate par, chi, grand")["dead_letters"] == 0
    family.check()


def test_a_table_that_refers_to_itself_alone_is_truncated(family: Family) -> None:
    """At once, and not row by row."""
    family.target.execute(
        "drop table grand, chi; create function no() returns trigger language plpgsql as "
        "'begin raise ''row by row''; end'; "
        "create trigger no before delete on par for each row execute function no()"
    )
    family.source.execute("truncate par, chi, grand")
    family.queue.tick()
    keys = job_keys(family.source, family.target)
    del keys["dest_table"]
    values = drain(**keys, tables={"par": {}}, unlisted_tables="ignore")
    assert values["outcomes"] == {"truncate,row": 1}
    assert family.target.rows("select * from par") == []
