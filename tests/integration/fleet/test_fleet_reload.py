"""A real fleet of fake jobs: reload is validate, then swap."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.programs.fleet import Fleet, fleet
from harness.programs.processes import alive
from harness.waiting import wait_until


@pytest.fixture
def a_fleet(tmp_path: Path) -> Iterator[Fleet]:
    """A running fleet of three jobs."""
    with fleet(tmp_path) as made:
        for name in ("a", "b", "c"):
            made.write_job(name)
        made.start()
        made.wait_all()
        yield made


def pids(a_fleet: Fleet) -> dict[str, int]:
    """Pids by job."""
    return {job["name"]: job["pid"] for job in a_fleet.status()["jobs"]}


def test_a_fleet_s_reload_touches_only_what_has_changed(a_fleet: Fleet) -> None:
    """New files start, vanished ones stop, changed ones restart, broken and equal ones keep their pids."""
    before = pids(a_fleet)
    a_fleet.write_job("a", step=5)
    (a_fleet.directory / "conf.d" / "b.ini").unlink()
    a_fleet.write_job("c", stepp=5)
    a_fleet.write_job("d")
    a_fleet.write_text("e", "nonsense\n")
    done = a_fleet.run("reload")
    assert done.stdout == "added: d\nchanged: a\nremoved: b\n"
    assert done.stderr.splitlines() == [
        "cannot load conf.d/c.ini: [sleeper] stepp: unknown key, did you mean step?",
        "cannot load conf.d/e.ini: line 1: neither a section header nor key = value",
    ]
    assert done.returncode == 1
    wait_until(lambda: set(pids(a_fleet)) == {"a", "c", "d", "e"}, "b is gone")
    a_fleet.wait_for("a", state="running", restarts=1)
    a_fleet.wait_for("d", state="running", restarts=0)
    assert a_fleet.wait_for("e", state="blocked")["reason"] in done.stderr
    assert a_fleet.job("c")["pid"] == before["c"]
    assert "did you mean step" in a_fleet.job("c")["last_error"]
    assert not alive(before["a"])
    assert not alive(before["b"])
    a_fleet.write_job("c")
    assert a_fleet.run("reload").stdout == "unchanged: a c d\n"
    assert a_fleet.job("c")["pid"] == before["c"]


def test_a_bad_reload_of_a_job_keeps_its_process(a_fleet: Fleet) -> None:
    """The reply says what is wrong with the file; the process and its numbers go on."""
    pid = a_fleet.job("a")["pid"]
    a_fleet.write_job("a", behav="crash")
    reply = a_fleet.ask("reload", jobs=["a"])
    message = "cannot reload a: conf.d/a.ini: [sleeper] behav: unknown key, did you mean behave?"
    assert reply == {"ok": False, "error": {"code": "bad-config", "message": message}}
    done = a_fleet.run("reload", "a")
    assert (done.returncode, done.stderr) == (1, message + "\n")
    a_fleet.wait_for("a", state="running", pid=pid, restarts=0)


def test_a_good_reload_of_a_job_swaps_its_process(a_fleet: Fleet) -> None:
    """The old process ends its batch first, the new one has the new settings, the others keep theirs."""
    before = pids(a_fleet)
    a_fleet.write_job("a", step=1000)
    done = a_fleet.run("reload", "a")
    assert (done.returncode, done.stdout) == (0, "changed: a\n")
    job = a_fleet.wait_for("a", state="running", events=lambda events: events > 2000)
    assert job["pid"] != before["a"]
    assert job["last_error"] == ""
    assert pids(a_fleet) == before | {"a": job["pid"]}
    assert 'asks: reload {"jobs": ["a"]}' in a_fleet.log()
    a_fleet.ask("reload", jobs=["x\nforged line"])
    assert "\nforged" not in a_fleet.log()


def test_a_job_renamed_in_its_file_is_told(a_fleet: Fleet) -> None:
    """A reload of one job does not rename it; a reload of the fleet does."""
    a_fleet.write_job("a", job_name="z")
    error = a_fleet.ask("reload", jobs=["a"])["error"]["message"]
    assert error.startswith("cannot reload a: conf.d/a.ini: [sleeper] job_name: it is z now")
    assert a_fleet.run("reload").returncode == 0
    wait_until(lambda: set(pids(a_fleet)) == {"z", "b", "c"}, "z in place of a")


def test_a_job_that_is_not_there(a_fleet: Fleet) -> None:
    """It has an error code of its own."""
    error = a_fleet.ask("reload", jobs=["nope"])["error"]
    assert error == {"code": "unknown-job", "message": "cannot reload nope: no job has that name"}


def test_a_second_file_of_one_job_name_is_the_broken_one(a_fleet: Fleet) -> None:
    """Never two processes of one job."""
    pid = a_fleet.job("a")["pid"]
    a_fleet.write_job("x", job_name="a")
    assert "a is the name of the job in conf.d/a.ini already" in a_fleet.run("reload").stderr
    a_fleet.wait_for("x", state="blocked")
    assert a_fleet.job("a")["pid"] == pid


def test_a_broken_file_at_start_stops_no_other(tmp_path: Path) -> None:
    """Its job is blocked with the first fault and the count of the others; all are in the master's log."""
    with fleet(tmp_path / "fleet") as other:
        other.write_job("good")
        other.write_job("bad", stepp=1, afterr=2)
        other.start()
        other.wait_for("good", state="running")
        job = other.wait_for("bad", state="blocked", pid=None)
        assert job["reason"].endswith("[sleeper] stepp: unknown key, did you mean step? (and 1 more)")
        assert "afterr: unknown key, did you mean after?" in other.log()
        other.write_job("bad")
        assert other.run("reload", "bad").returncode == 0
        other.wait_for("bad", state="running")


def test_a_vanished_directory_stops_nobody(a_fleet: Fleet) -> None:
    """A conf.d that cannot be read is an error, not a fleet without jobs."""
    before = pids(a_fleet)
    folder = a_fleet.directory / "conf.d"
    folder.rename(a_fleet.directory / "elsewhere")
    done = a_fleet.run("reload")
    assert (done.returncode, done.stderr) == (1, "cannot read conf.d: No such file or directory\n")
    assert pids(a_fleet) == before


def test_a_malformed_line_is_not_repeated(a_fleet: Fleet) -> None:
    """It may hold a password; the error names the line by its number."""
    a_fleet.write_text("a", "[sleeper]\ndst_db password geheim\n")
    done = a_fleet.run("reload", "a")
    assert done.returncode == 1
    assert "line 2" in done.stderr
    assert "geheim" not in done.stderr + a_fleet.log() + a_fleet.run("status").stdout
