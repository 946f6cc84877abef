"""A real fleet of fake jobs: files and settings that change."""

from __future__ import annotations

from pathlib import Path

from harness.programs.fleet import Fleet, fleet


def test_a_dry_run_tells_and_changes_nothing(a_fleet: Fleet) -> None:
    """For the whole fleet and for one job."""
    pids = {job["name"]: job["pid"] for job in a_fleet.status()["jobs"]}
    a_fleet.write_job("new")
    a_fleet.write_job("orders", step=2)
    a_fleet.write_job("clicks", stepp=2)
    (a_fleet.directory / "conf.d" / "orders_eu.ini").unlink()
    error = "cannot load conf.d/clicks.ini: [sleeper] stepp: unknown key, did you mean step?\n"
    told = (1, "added: new\nchanged: orders\nremoved: orders_eu\n", error)
    assert a_fleet.said("reload", "--dry-run") == told
    assert a_fleet.said("reload", "--dry-run", "orders") == (0, "changed: orders\n", "")
    assert {job["name"]: job["pid"] for job in a_fleet.status()["jobs"]} == pids
    assert a_fleet.job("clicks")["last_error"] == ""
    assert a_fleet.said("reload") == told


def test_files_that_settle_are_taken_up(tmp_path: Path) -> None:
    """With watch, without a command: half-written files wait, and only changed jobs get a new pid."""
    with fleet(tmp_path, watch=True) as made:
        made.write_job("orders")
        made.write_job("clicks")
        made.start()
        made.wait_all()
        pid, other = made.job("orders")["pid"], made.job("clicks")["pid"]
        made.write_job("orders", step=5)
        made.write_job("late")
        made.wait_for("orders", state="running", pid=lambda new: new not in {None, pid})
        made.wait_for("late", state="running")
        assert made.job("clicks")["pid"] == other
        assert made.log().count("files have changed") == 1
        made.write_settings(watch=True, defaults={"step": 3})
        made.wait_for("clicks", state="running", pid=lambda new: new not in {None, other})


def test_defaults_of_the_fleet_are_the_jobs_own(tmp_path: Path) -> None:
    """Unless a file says otherwise. An error names the place; a changed default is a change of the jobs."""
    with fleet(tmp_path, defaults={"step": 1000, "log_count": 7}) as made:
        made.write_job("orders")
        made.write_job("clicks", step=1)
        made.start()
        made.wait_for("orders", events=lambda events: events >= 1000 and events % 1000 == 0)
        made.wait_for("clicks", events=lambda events: 0 < events < 1000)
        made.write_settings(defaults={"step": 2000, "log_count": 7})
        assert made.said("reload") == (0, "changed: orders\nunchanged: clicks\n", "")
        made.write_settings(defaults={"step": "x"})
        place = "cannot load conf.d/orders.ini: defaults of tdsup.yaml: step"
        error = f"{place}: must be a whole number (it is 'x')\n"
        assert made.said("check")[2] == error


def test_settings_that_need_a_new_start_are_told(a_fleet: Fleet) -> None:
    """A reload picks up globs and defaults; a broken tdsup.yaml changes nothing."""
    a_fleet.write_settings(jobs=["conf.d/o*.ini"], stop_timeout=7)
    warning = "tdsup.yaml: stop_timeout: takes effect when the fleet is started again\n"
    assert a_fleet.said("reload") == (0, "removed: clicks\nunchanged: orders orders_eu\n", warning)
    assert warning in a_fleet.log()
    (a_fleet.directory / "tdsup.yaml").write_text("jobs: [", encoding="utf-8")
    reply = a_fleet.ask("reload")
    assert reply["error"]["code"] == "bad-config"
    assert len(a_fleet.status()["jobs"]) == 2
