"""TPC-B's four tables, as pgbench makes them, which feed one queue; and a job that loads them all."""

from __future__ import annotations

import random
from pathlib import Path

from harness.programs.program import Program
from harness.rows.job import Keys, job_keys
from harness.servers.database import Database
from harness.servers.queue import Queue

TABLES = ("pgbench_accounts", "pgbench_branches", "pgbench_history", "pgbench_tellers")

TELLERS, ACCOUNTS = 10, 1000
"""Of each branch."""

MADE = """
create table pgbench_branches (bid int primary key, bbalance int, filler char(88));
create table pgbench_tellers (tid int primary key, bid int {branch}, tbalance int, filler char(84));
create table pgbench_accounts (aid int primary key, bid int {branch}, abalance int, filler char(84));
create table pgbench_history (
    tid int {teller}, bid int {branch}, aid int {account}, delta int, mtime timestamp, filler char(22));
"""

WITH_KEYS = {
    name: f"references pgbench_{table}"
    for name, table in (("branch", "branches"), ("teller", "tellers"), ("account", "accounts"))
}

TRANSACTION = """
update pgbench_accounts set abalance = abalance + {delta} where aid = {aid};
update pgbench_tellers set tbalance = tbalance + {delta} where tid = {tid};
update pgbench_branches set bbalance = bbalance + {delta} where bid = {bid};
insert into pgbench_history values ({tid}, {bid}, {aid}, {delta}, now())
"""


class Tpcb:
    """The tables in both databases, filled in the source; each transaction is four events.

    Args:
        queue: an existing one.
        target: the database to load.
        branches: how many.
        with_keys: the tables have foreign keys, as of ``pgbench --foreign-keys``.
    """

    def __init__(self, queue: Queue, target: Database, *, branches: int = 2, with_keys: bool) -> None:
        self.source, self.target, self.queue = queue.source, target, queue
        self._branches = branches
        self._chance = random.Random(1)  # noqa: S311 (repeatable transactions)
        words = WITH_KEYS if with_keys else dict.fromkeys(WITH_KEYS, "")
        for database in (self.source, target):
            database.execute(MADE.format(**words))
        for table in TABLES:
            queue.attach(table)

    def fill(self) -> None:
        """Add branches, tellers and accounts, which are events, too."""
        for table, column, number in (
            ("branches", "", 1),
            ("tellers", f"(g - 1) / {TELLERS} + 1,", TELLERS),
            ("accounts", f"(g - 1) / {ACCOUNTS} + 1,", ACCOUNTS),
        ):
            rows = f"select g, {column} 0, '' from generate_series(1, {number * self._branches}) g"
            self.source.execute(f"insert into pgbench_{table} {rows}")

    def run(self, transactions: int) -> None:
        """Run some, all in one."""
        chance = self._chance
        self.source.execute(
            ";".join(
                TRANSACTION.format(
                    aid=chance.randint(1, ACCOUNTS * self._branches),
                    tid=chance.randint(1, TELLERS * self._branches),
                    bid=chance.randint(1, self._branches),
                    delta=chance.randint(-5000, 5000),
                )
                for _ in range(transactions)
            )
        )

    def keys(self, **keys: object) -> Keys:
        """Keys of the job, whose sections are those of `program`."""
        found = job_keys(self.source, self.target, queue=self.queue.name)
        del found["dest_table"]
        return {**found, "tables": {"pgbench_*": {}}, **keys}

    def program(self, directory: Path, **keys: object) -> Program:
        """The job as a program of its own, not started."""
        named = self.keys(job_name="job", **keys)
        del named["tables"]
        program = Program(directory, **named)
        with (directory / "job.ini").open("a", encoding="utf-8") as file:
            file.write("[table pgbench_*]\n")
        return program

    def is_loaded(self) -> bool:
        """Whether the target's position is the queue's end."""
        last = self.source.value("select last_tick_id from pgq.get_queue_info(%s)", self.queue.name)
        there = self.target.value("select to_regclass('tdsup.completed_tick') is not null")
        return bool(there) and self.target.column("select last_tick_id from tdsup.completed_tick") == [last]

    def check(self) -> None:
        """Fail unless each table is the same in both databases."""
        for table in TABLES:
            query = f"select count(*), md5(string_agg(t::text, ' ' order by t::text)) from {table} t"
            found, wanted = self.target.rows(query), self.source.rows(query)
            assert found == wanted, f"{table}: {found} instead of {wanted}"
