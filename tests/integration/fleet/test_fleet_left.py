"""What jobs leave behind when their files go away, and who hears of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.programs.fleet import Fleet, fleet

LEFT = "queue q: run there: close q; or put the file of {0} back and run tdsup retire {0}"
LINE = LEFT.format("a")


@pytest.fixture
def a_fleet(tmp_path: Path) -> Iterator[Fleet]:
    """A running fleet with a job that would leave something behind, and one that would not."""
    with fleet(tmp_path) as made:
        made.write_job("a", queue="q")
        made.write_job("b")
        made.start()
        made.wait_all()
        yield made


def unlink(a_fleet: Fleet, name: str) -> None:
    """Remove the file of a job."""
    (a_fleet.directory / "conf.d" / f"{name}.ini").unlink()


def test_a_removed_file_leaves_something(a_fleet: Fleet) -> None:
    """The reload says so, and a dry run of it; so do log and status, until a job has it again."""
    unlink(a_fleet, "a")
    assert a_fleet.said("reload", "--dry-run") == (0, "removed: a\nunchanged: b\n", f"left: {LINE}\n")
    assert a_fleet.status()["left"] == []
    assert a_fleet.said("reload") == (0, "removed: a\nunchanged: b\n", f"left: {LINE}\n")
    assert a_fleet.said("reload")[2] == f"left: {LINE}\n"
    assert a_fleet.status()["left"] == [LINE]
    assert a_fleet.said("status")[1].splitlines()[-2] == f"left: {LINE}"
    assert a_fleet.log().count(f"WARNING left: {LINE}") == 1
    a_fleet.write_job("c", queue="q")
    assert a_fleet.said("reload") == (0, "added: c\nunchanged: b\n", "")
    assert a_fleet.status()["left"] == []


def test_a_renamed_job_leaves_nothing_and_a_changed_one_may(a_fleet: Fleet) -> None:
    """What counts is whether a job still has it, by whatever name."""
    unlink(a_fleet, "a")
    a_fleet.write_job("z", queue="q")
    assert a_fleet.said("reload") == (0, "added: z\nremoved: a\nunchanged: b\n", "")
    a_fleet.wait_for("z", state="running")
    a_fleet.write_job("z", queue="other")
    assert a_fleet.said("reload", "z")[2] == f"left: {LEFT.format('z')}\n"


def test_a_job_that_never_had_a_process_leaves_nothing(a_fleet: Fleet) -> None:
    """Nothing of it is known; one that is stopped now has had one."""
    a_fleet.write_job("c", queue="r", autostart=0)
    assert a_fleet.said("reload")[0] == 0
    a_fleet.wait_for("c", state="stopped")
    assert a_fleet.said("stop-job", "a")[0] == 0
    unlink(a_fleet, "a")
    unlink(a_fleet, "c")
    assert a_fleet.said("reload") == (0, "removed: a c\nunchanged: b\n", f"left: {LINE}\n")


def test_a_reload_tells_what_is_odd_with_the_files_that_it_takes(a_fleet: Fleet) -> None:
    """As a check does; those that have not changed are told no more."""
    a_fleet.write_job("b", unused=1)
    line = "conf.d/b.ini: [sleeper] unused: has no effect: it sleeps\n"
    assert a_fleet.said("reload") == (0, "changed: b\nunchanged: a\n", line)
    assert a_fleet.said("reload") == (0, "unchanged: a b\n", "")
    assert a_fleet.said("reload", "b") == (0, "changed: b\n", line)
