"""Tables of one job whose foreign keys refer to each other in the target."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from harness.rows.job import drain, job_keys
from harness.servers.database import Database
from harness.servers.queue import Queue
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tdsup.dispatcher.load.passes import End, Pass, Pauses
from tdsup.sandbox import Sandbox

TABLES = ("town", "shop", "sale")
"""In the order in which they refer to each other."""

TIED = """
create table town (id int primary key, note text, best int);
create table shop (id int primary key, town int not null references town on delete cascade, note text);
create table sale (shop int references shop on delete cascade, n int, amount int, primary key (shop, n));
"""

CYCLE = "alter table town add foreign key (best) references shop on delete set null"

MADE = {"tied": TIED, "cyclic": TIED + CYCLE}
"""The tables, by how they refer to each other; their foreign keys are the same in both databases."""

ACTS = (
    "insert into town values ({one}, 'new') on conflict do nothing",
    "insert into shop select {one}, id, 'new' from town where id = {other} on conflict do nothing",
    "insert into sale select id, {other}, 0 from shop where id = {one} on conflict do nothing",
    "update sale set amount = amount + {other} where shop = {one}",
    "update town set note = note || '{other}' where id = {one}",
    "update town set best = (select min(id) from shop where id >= {other}) where id = {one}",
    "update shop set town = {other} where id = {one} and exists (select from town where id = {other})",
    "delete from town where id = {one}; insert into town values ({one}, 'again')",
    "delete from town where id = {one}",
    "delete from shop where id = {one}",
    "delete from sale where shop = {one}",
)
"""What is done to the source, to rows of two numbers."""

ids = st.integers(1, 4)
acts = st.builds(lambda act, one, other: act.format(one=one, other=other), st.sampled_from(ACTS), ids, ids)


def load(queue: Queue, target: Database) -> Mapping[str, Any]:
    """Run the job until its queue is empty."""
    keys = job_keys(queue.source, target, queue=queue.name)
    del keys["dest_table"]
    return drain(**keys, tables={"*": {}}, row_mode="plain", merge_events=0)


class Trade:
    """Both databases, with new tables for each history."""

    def __init__(self, queue: Queue, target: Database, kind: str) -> None:
        self.queue, self.source, self.target = queue, queue.source, target
        for database in (self.source, target):
            database.execute(f"drop table if exists {', '.join(TABLES)} cascade")
            database.execute(MADE[kind])
        for table in TABLES:
            queue.attach(table)
        self.source.execute(
            "insert into town select g, 'first' from generate_series(1, 4) g;"
            "insert into shop select g, g, 'first' from generate_series(1, 3) g;"
            "insert into sale select g, g, 0 from generate_series(1, 3) g"
        )

    def play(self, history: list[list[str]]) -> None:
        """Run each tick's statements, a transaction each, and load them."""
        for statements in history:
            for statement in statements:
                self.source.execute(statement)
            self.queue.tick()
        values = load(self.queue, self.target)
        assert values["dead_letters"] == 0, self.target.rows("select reason from tdsup.dead_letter limit 3")

    def check(self) -> None:
        """Fail unless all tables are the same in both databases."""
        for table in TABLES:
            query = f"select t::text from {table} t order by 1"
            assert self.target.column(query) == self.source.column(query), table


@pytest.fixture(scope="module")
def databases(sandbox: Sandbox) -> Iterator[tuple[Queue, Database]]:
    """Two databases for all histories; only these make ticks."""
    sandbox.ticker.stop()
    for cluster in (sandbox.source, sandbox.target):
        cluster.create_database("trade")
    source, target = (Database(each.dsn("trade")) for each in (sandbox.source, sandbox.target))
    queue = Queue(source, "q")
    queue.create()
    queue.tick()
    load(queue, target)
    yield queue, target
    for database, cluster in ((source, sandbox.source), (target, sandbox.target)):
        database.close()
        cluster.drop_database("trade")
    sandbox.ticker.start()


@pytest.mark.parametrize("kind", MADE)
@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(history=st.lists(st.lists(acts, max_size=12), min_size=1, max_size=3))
def test_tables_that_refer_to_each_other_are_the_same(
    databases: tuple[Queue, Database], kind: str, history: list[list[str]]
) -> None:
    """No foreign key of the target refuses what those of the source allowed."""
    trade = Trade(*databases, kind)
    trade.play(history)
    trade.check()


def test_what_comes_back_with_its_parent_stays(databases: tuple[Queue, Database]) -> None:
    """A row that is added again after its parent is not deleted with that, whichever fold is full first."""
    trade = Trade(*databases, "tied")
    again = (
        "update shop set note = 'x' where id = 3; delete from town where id = 1; "
        "insert into town values (1, 'again'); insert into shop values (1, 1, 'again')"
    )
    trade.play([[], [again]])
    trade.check()


def test_tied_tables_are_folded(databases: tuple[Queue, Database], monkeypatch: pytest.MonkeyPatch) -> None:
    """Parents are added before their children, and go after them, though their events come in blocks."""
    passes: list[tuple[Pass, End]] = []
    ended = Pauses.ended

    def watched(pauses: Pauses, pass_: Pass, end: End) -> None:
        passes.append((pass_, end))
        ended(pauses, pass_, end)

    monkeypatch.setattr(Pauses, "ended", watched)
    trade = Trade(*databases, "tied")
    sales = "insert into sale select g % 90 + 10, g, g from generate_series(1, 3000) g"
    towns = "insert into town select g, 'x' from generate_series(10, 99) g"
    shops = "insert into shop select g, g, 'x' from generate_series(10, 99) g"
    trade.play([[towns, shops, sales], ["delete from town where id % 2 = 0", "update shop set town = 1"]])
    trade.check()
    assert passes == [(Pass.BLOCKS, End.MISSING), (Pass.ORDERED, End.LOADED), (Pass.ORDERED, End.LOADED)]
