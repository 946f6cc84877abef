"""Commands by which job types act on jobs: which jobs, in which order, and what the fleet hears of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.programs.fleet import Fleet, fleet


@pytest.fixture
def a_fleet(tmp_path: Path) -> Iterator[Fleet]:
    """A fleet without jobs, not started."""
    with fleet(tmp_path) as made:
        yield made


def test_rewind_goes_on_after_a_job_that_fails(a_fleet: Fleet) -> None:
    """Each job that a name or pattern fits, once; what is wrong is told, and shows in the exit status."""
    for name in ("a1", "a3"):
        a_fleet.write_job(name)
    a_fleet.write_job("a2", line="bad")
    a_fleet.write_job("a4", stepp=1)
    a_fleet.write_job("b")
    code, said, faults = a_fleet.said("rewind", "a*", "a1", "--dry-run")
    assert (code, said) == (1, "rewind a1 dry-run\nrewind a3 dry-run\n")
    assert faults.splitlines() == [
        "cannot rewind a2: it is bad",
        "cannot load conf.d/a4.ini: [sleeper] stepp: unknown key, did you mean step?",
    ]
    assert a_fleet.said("rewind", "b") == (0, "rewind b\n", "")
    assert a_fleet.said("rewind", "c*") == (1, "", "cannot rewind c*: no job fits\n")
    assert a_fleet.said("rewind", "c") == (1, "", "cannot rewind c: no job has that name\n")
    assert a_fleet.said("rewind")[0] == 2


@pytest.mark.parametrize("command", ["rewind", "skip"])
def test_a_mended_job_is_started_if_it_was_blocked(a_fleet: Fleet, command: str) -> None:
    """A try without effect starts nothing, and without a master there is nothing to start."""
    broken = a_fleet.directory / "broken"
    a_fleet.write_job("orders", "holder", hold=a_fleet.directory / "hold", broken=broken)
    broken.touch()
    assert a_fleet.said(command, "orders") == (0, "orders: mended\n", "")
    a_fleet.start()
    a_fleet.wait_for("orders", state="running")
    broken.touch()
    a_fleet.wait_for("orders", state="blocked")
    if command == "rewind":
        assert a_fleet.said("rewind", "orders", "--dry-run") == (0, "orders: dry-run\n", "")
        a_fleet.wait_for("orders", state="blocked")
    assert a_fleet.said(command, "orders") == (0, "orders: mended\nstarted: orders\n", "")
    a_fleet.wait_for("orders", state="running")


def test_a_takeover_is_an_action(a_fleet: Fleet) -> None:
    """Of one job, by its name; a type without it says so."""
    a_fleet.write_job("a")
    a_fleet.write_job("b", "napper")
    assert a_fleet.said("takeover", "a") == (0, "takeover a\n", "")
    line = "cannot takeover b: jobs of type napper have no such action\n"
    assert a_fleet.said("takeover", "b") == (1, "", line)
    assert a_fleet.said("takeover", "*") == (1, "", "cannot take over *: no job has that name\n")


def test_retire_stops_a_job_first(a_fleet: Fleet) -> None:
    """Once it has no process any more, the action follows; then its file can go without a word."""
    a_fleet.write_job("a", queue="q", behave="slow_end")
    a_fleet.write_job("b", "napper")
    a_fleet.start()
    a_fleet.wait_all()
    assert a_fleet.said("retire", "a") == (0, "retire a\n", "")
    a_fleet.wait_for("a", state="stopped", pid=None)
    assert a_fleet.said("retire", "b")[0] == 1
    a_fleet.wait_for("b", state="running")
    (a_fleet.directory / "conf.d" / "a.ini").unlink()
    assert a_fleet.said("reload") == (0, "removed: a\nunchanged: b\n", "")
    assert a_fleet.status()["left"] == []


def test_what_is_retired_later_is_left_no_more(a_fleet: Fleet) -> None:
    """With its file put back for that, whether or not the fleet has read it."""
    file = a_fleet.write_job("a", queue="q")
    a_fleet.start()
    a_fleet.wait_all()
    file.unlink()
    assert "tdsup retire a" in a_fleet.said("reload")[2]
    a_fleet.write_job("a", queue="q")
    assert a_fleet.said("retire", "a") == (0, "retire a\n", "")
    assert a_fleet.status()["left"] == []
    file.unlink()
    assert a_fleet.said("reload") == (0, "", "")


def test_retire_stops_no_other_job(a_fleet: Fleet) -> None:
    """Not even if what is given as a name, which no job can have, would be a pattern."""
    a_fleet.write_job("a1")
    a_fleet.start()
    a_fleet.wait_all()
    a_fleet.write_job("a", job_name="a?")
    assert a_fleet.run("retire", "a?").returncode == 1
    assert a_fleet.job("a1")["state"] == "running"


def test_consumers_are_asked_for_once_for_each_source(a_fleet: Fleet) -> None:
    """With the fleet's readers of that source; jobs of types that have none do not matter."""
    for name, source in (("a", "one"), ("b", "two"), ("c", "one")):
        a_fleet.write_job(name, src_db=source, queue=f"of {name}")
    a_fleet.write_job("d", "napper")
    said = "consumers a a of a a c of c c\nconsumers b b of b b\n"
    assert a_fleet.said("consumers") == (0, said, "")


def test_the_schema_is_told_once_for_each_target(a_fleet: Fleet) -> None:
    """Of all jobs or of some."""
    for name, table in (("a", "one"), ("b", "one"), ("c", "two")):
        a_fleet.write_job(name, table=table)
    assert a_fleet.said("schema") == (0, "schema a\nschema c\n", "")
    assert a_fleet.said("schema", "b", "--sql") == (0, "schema b sql\n", "")
    a_fleet.write_job("d", "napper")
    code, _said, fault = a_fleet.said("schema", "d")
    assert (code, fault.startswith("cannot show schema: no job can")) == (1, True)
