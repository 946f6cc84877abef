"""A real fleet with two jobs that need the same thing: one has it, the other is blocked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.programs.fleet import Fleet, fleet
from harness.waiting import wait_until

LINE = (
    "cannot share between jobs: conf.d/{}.ini: [sleeper] queue: the queue q "
    "belongs to {} (conf.d/{}.ini) already"
)


@pytest.fixture
def a_fleet(tmp_path: Path) -> Iterator[Fleet]:
    """A fleet without jobs, not started."""
    with fleet(tmp_path) as made:
        yield made


def test_of_two_new_jobs_the_first_by_name_runs(a_fleet: Fleet) -> None:
    """The other says why it does not, whoever starts or reloads it, until the first one is gone."""
    a_fleet.write_job("a", queue="q")
    a_fleet.write_job("b", queue="q")
    a_fleet.start()
    pid = a_fleet.wait_for("a", state="running")["pid"]
    line = LINE.format("b", "a", "a")
    assert a_fleet.wait_for("b", state="blocked", pid=None)["reason"] == line
    assert f"ERROR {line}" in a_fleet.log()
    assert a_fleet.said("start-job", "b")[0] == 1
    assert a_fleet.said("reload", "b") == (1, "", f"{line}\n")
    assert a_fleet.said("reload") == (1, "unchanged: a\n", f"{line}\n")
    assert a_fleet.job("a")["pid"] == pid
    (a_fleet.directory / "conf.d" / "a.ini").unlink()
    assert a_fleet.said("reload") == (0, "changed: b\nremoved: a\n", "")
    a_fleet.wait_for("b", state="running")


def test_what_runs_goes_on(a_fleet: Fleet) -> None:
    """Whatever comes first by name, and whichever file is changed; a swap is no clash."""
    a_fleet.write_job("b", queue="q")
    a_fleet.write_job("c", queue="r")
    a_fleet.start()
    a_fleet.wait_all()
    pids = {name: a_fleet.job(name)["pid"] for name in "bc"}
    a_fleet.write_job("a", queue="q")
    assert a_fleet.said("reload")[2] == LINE.format("a", "b", "b") + "\n"
    a_fleet.write_job("c", queue="q")
    assert a_fleet.said("reload", "c")[2] == LINE.format("c", "b", "b") + "\n"
    a_fleet.wait_for("a", state="blocked")
    a_fleet.wait_for("c", state="running", last_error=LINE.format("c", "b", "b"))
    assert {name: a_fleet.job(name)["pid"] for name in "bc"} == pids
    (a_fleet.directory / "conf.d" / "a.ini").unlink()
    a_fleet.write_job("b", queue="r")
    assert a_fleet.said("reload") == (0, "changed: b c\nremoved: a\n", "")
    wait_until(lambda: all(a_fleet.job(name)["pid"] != pids[name] for name in "bc"), "both are new")


def test_what_two_jobs_should_not_share_is_a_warning(a_fleet: Fleet) -> None:
    """At the start, in a reload's answer and in a check, which is content all the same."""
    a_fleet.write_job("a", table="t")
    a_fleet.write_job("b", table="t")
    line = "conf.d/b.ini: [sleeper] table: the table t belongs to a (conf.d/a.ini) too"
    assert a_fleet.said("check") == (0, "2 of 2 jobs can run\n", f"{line}\n")
    a_fleet.start()
    a_fleet.wait_all()
    assert f"WARNING {line}" in a_fleet.log()
    assert a_fleet.said("reload") == (0, "unchanged: a b\n", f"{line}\n")
