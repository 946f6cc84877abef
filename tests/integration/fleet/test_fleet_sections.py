"""A real fleet whose one file holds two jobs of different types: each is a job of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.programs.fleet import Fleet, fleet
from harness.programs.processes import alive
from harness.waiting import wait_until

DEFAULTS = "[DEFAULT]\nlog_count = 1\n"
SLEEPER = "[sleeper]\nstep = 5\n"
NAPPER = "[napper]\nnap = 0.05\n"


@pytest.fixture
def a_fleet(tmp_path: Path) -> Iterator[Fleet]:
    """A running fleet of one file."""
    with fleet(tmp_path) as made:
        made.write_text("both", DEFAULTS + SLEEPER + NAPPER)
        made.start()
        yield made


def pids(a_fleet: Fleet) -> dict[str, int]:
    """Pids by job, once all run."""
    a_fleet.wait_all()
    return {job["name"]: job["pid"] for job in a_fleet.status()["jobs"]}


def test_both_jobs_of_a_file_run(a_fleet: Fleet) -> None:
    """Each is called by its header and has its own process and log; `check` counts jobs and files."""
    before = pids(a_fleet)
    assert set(before) == {"sleeper", "napper"}
    assert len(set(before.values())) == 2
    for name in before:
        job = a_fleet.job(name)
        assert (job["type"], job["file"], job["log"]) == (name, "conf.d/both.ini", f"log/{name}.log")
    a_fleet.wait_for("sleeper", events=lambda events: events > 10)
    a_fleet.write_job("third")
    done = a_fleet.run("check")
    assert (done.returncode, done.stdout, done.stderr) == (0, "3 of 3 jobs can run (in 2 files)\n", "")


def test_a_change_of_a_section_restarts_its_job_only(a_fleet: Fleet) -> None:
    """The other one keeps its process; a changed default restarts both."""
    before = pids(a_fleet)
    a_fleet.write_text("both", DEFAULTS + SLEEPER + NAPPER.replace("0.05", "0.04"))
    done = a_fleet.run("reload")
    assert (done.returncode, done.stdout) == (0, "changed: napper\nunchanged: sleeper\n")
    a_fleet.wait_for("napper", state="running", restarts=1)
    after = pids(a_fleet)
    assert (after["sleeper"], alive(before["napper"])) == (before["sleeper"], False)
    a_fleet.write_text("both", DEFAULTS.replace("1", "2") + SLEEPER + NAPPER.replace("0.05", "0.04"))
    assert a_fleet.run("reload").stdout == "changed: napper sleeper\n"


def test_a_section_that_is_removed_stops_its_job_only(a_fleet: Fleet) -> None:
    """The job that is left is now called by the file, unless it has a name of its own."""
    a_fleet.write_text("both", DEFAULTS + SLEEPER + "job_name = sleeper\n" + NAPPER)
    assert a_fleet.run("reload").stdout == "unchanged: napper sleeper\n"
    before = pids(a_fleet)
    a_fleet.write_text("both", DEFAULTS + SLEEPER + "job_name = sleeper\n")
    assert a_fleet.run("reload").stdout == "removed: napper\nunchanged: sleeper\n"
    wait_until(lambda: not alive(before["napper"]), "the napper has ended")
    assert pids(a_fleet) == {"sleeper": before["sleeper"]}


def test_a_broken_section_keeps_its_job_and_lets_the_other_one_change(a_fleet: Fleet) -> None:
    """A file that is broken as a whole keeps both."""
    before = pids(a_fleet)
    a_fleet.write_text("both", DEFAULTS + SLEEPER.replace("5", "6") + NAPPER + "foo = 1\n")
    done = a_fleet.run("reload")
    assert (done.returncode, done.stdout) == (1, "changed: sleeper\n")
    assert done.stderr == "cannot load conf.d/both.ini: [napper] foo: unknown key\n"
    a_fleet.wait_for("sleeper", state="running", restarts=1)
    between = pids(a_fleet)
    assert between["napper"] == before["napper"]
    a_fleet.write_text("both", DEFAULTS + SLEEPER + NAPPER.replace("napper", "nupper"))
    done = a_fleet.run("reload")
    assert done.stderr.count("[nupper] no job type is called nupper, did you mean napper?") == 1
    assert pids(a_fleet) == between
    assert "nupper" in a_fleet.job("sleeper")["last_error"]


def test_a_reload_of_one_job_leaves_the_other_one_of_its_file(a_fleet: Fleet) -> None:
    """Whether that one has changed or is broken."""
    before = pids(a_fleet)
    a_fleet.write_text("both", DEFAULTS + SLEEPER.replace("5", "6") + NAPPER.replace("0.05", "-1"))
    done = a_fleet.run("reload", "sleeper")
    assert (done.returncode, done.stdout, done.stderr) == (0, "changed: sleeper\n", "")
    a_fleet.wait_for("sleeper", state="running", restarts=1)
    assert pids(a_fleet)["napper"] == before["napper"]
    done = a_fleet.run("reload", "napper")
    assert done.returncode == 1
    assert done.stderr.startswith("cannot reload napper: conf.d/both.ini: [napper] nap: ")
    a_fleet.write_text("both", DEFAULTS + SLEEPER + "job_name = sleeper\n")
    done = a_fleet.run("reload", "napper")
    reason = "none of its jobs is called napper now; tdsup reload without a name takes that in"
    assert done.stderr == f"cannot reload napper: conf.d/both.ini: {reason}\n"
