"""The program of schema version 1 and this one, on one schema and one consumer: each event arrives once."""

from __future__ import annotations

import signal
from contextlib import ExitStack
from pathlib import Path

import pytest
from harness.paths import PGQ_EXT
from harness.programs.oldprogram import OldProgram, old_version
from harness.programs.program import Program
from harness.rows.orders import Orders
from harness.servers.database import Database


@pytest.fixture(scope="module")
def version(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The old program."""
    return old_version(tmp_path_factory.mktemp("old"))


@pytest.fixture(params=["own", "pgq_ext"])
def orders(source: Database, target: Database, request: pytest.FixtureRequest) -> Orders:
    """Orders whose position is kept in tdsup's schema, or in pgq_ext."""
    if request.param == "pgq_ext":
        target.execute(PGQ_EXT.read_text(encoding="utf-8"))
    return Orders(source, target)


def finished(orders: Orders) -> None:
    """Wait until all is loaded; the oracle must find no fault."""
    orders.wait_loaded()
    assert orders.verdict().clean, orders.verdict()


def test_both_at_once(tmp_path: Path, version: Path, orders: Orders) -> None:
    """Rows flow while each is killed in turn, and the other goes on, which is told who works."""
    keys = orders.keys(job_name="orders")
    new, old = Program(tmp_path / "new", **keys), OldProgram(tmp_path / "old", version, **keys)
    with ExitStack() as stack:
        stack.enter_context(new)
        new.wait_says("registered consumer")
        stack.enter_context(old)
        for victim, other in [(old, new), (new, old)] * 4:
            orders.insert(200)
            victim.send(signal.SIGKILL)
            orders.insert(200)
            orders.wait_loaded()
            assert "Traceback" not in other.log
            victim.__exit__(None, None, None)
            victim.__enter__()
        new.wait_says("standby: consumer orders works elsewhere: tdsup orders")
        finished(orders)


def test_each_after_the_other(tmp_path: Path, version: Path, orders: Orders) -> None:
    """Forth and back: a new program on an old schema, the old one on the new schema, and so on."""
    keys = orders.keys(job_name="orders")
    with OldProgram(tmp_path / "first", version, **keys) as old:
        old.wait_says("registered consumer")
        orders.insert(100)
        finished(orders)
    has_owners = "select to_regclass('tdsup.consumer') is not null"
    assert not orders.target.value(has_owners)
    for number in range(2):
        with Program(tmp_path / f"new{number}", **keys):
            orders.insert(100)
            finished(orders)
        assert orders.target.value(has_owners)
        with OldProgram(tmp_path / f"old{number}", version, **keys):
            orders.insert(100)
            finished(orders)
