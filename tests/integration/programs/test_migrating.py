"""The page on migration: what it tells people to run does what it says."""

from __future__ import annotations

import re
from pathlib import Path

from harness.paths import PGQ_EXT, TESTS
from harness.programs import original
from harness.programs.fleet import Fleet
from harness.rows.job import drain
from harness.rows.orders import Orders
from harness.servers.database import Database

PAGE = (TESTS.parent / "docs" / "migrating.md").read_text(encoding="utf-8")
TO_PGQ_EXT, FROM_PGQ_EXT = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)


class Both:
    """A table that either program loads, with one consumer, whose queue is called like it."""

    def __init__(self, orders: Orders, directory: Path) -> None:
        self._orders = orders
        keys = orders.keys(job_name="orders", part_field="", part_template="")
        self.keys = {key: value for key, value in keys.items() if key != "loop_delay"}
        self._path = directory / "orders.ini"
        self.total = 0

    def insert(self) -> None:
        """Insert some rows."""
        self._orders.insert(7)
        self.total += 7

    def ours(self) -> None:
        """Load them by ours."""
        self.insert()
        assert drain(**self.keys)["rows"] == 7
        self._check()

    def theirs(self) -> None:
        """Load them by the original; its first run would register, and is told not to."""
        self.insert()
        self._path.touch()
        original.run(self._path, **self.keys)
        self._check()

    def _check(self) -> None:
        assert self._orders.target.value("select count(*) from orders") == self.total
        assert self._orders.target.value("select count(distinct id) from orders") == self.total


def test_an_original_with_pgq_ext_is_taken_over_and_given_back(
    source: Database, target: Database, tmp_path: Path
) -> None:
    """As often as one likes: each goes on where the other has stopped."""
    target.execute(PGQ_EXT.read_text(encoding="utf-8"))
    both = Both(Orders(source, target), tmp_path)
    source.execute("select pgq.register_consumer('orders', 'orders')")
    both.theirs()
    both.ours()
    both.theirs()
    both.ours()


def test_positions_move_both_ways(source: Database, target: Database, tmp_path: Path) -> None:
    """From our table to pgq_ext and back, by the statements of the page."""
    both = Both(Orders(source, target), tmp_path)
    drain(**both.keys)
    both.ours()
    target.execute(PGQ_EXT.read_text(encoding="utf-8"))
    target.execute(TO_PGQ_EXT)
    both.theirs()
    both.ours()
    target.execute(FROM_PGQ_EXT)
    assert target.value("select count(*) from pgq_ext.completed_tick") == 0
    both.ours()
    assert target.rows("select queue_name, consumer_name from tdsup.completed_tick") == [("orders", "orders")]
    target.execute(TO_PGQ_EXT)
    both.ours()
    both.theirs()


def test_the_check_of_an_old_file_points_at_the_page(tmp_path: Path, orders: Orders) -> None:
    """If it has keys that only the original has a use for."""
    jobs = Fleet(tmp_path)
    orders.write_job(jobs)
    code, said, _faults = jobs.said("check")
    assert (code, "migrating" in said) == (0, False)
    orders.write_job(jobs, sql_retry_max_time=60)
    code, said, faults = jobs.said("check")
    assert (code, said.splitlines()[-1]) == (
        0,
        "written for table_dispatcher itself: orders; docs/migrating.md says what to look at",
    )
    assert "sql_retry_max_time: has no effect" in faults
