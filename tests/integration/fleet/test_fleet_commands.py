"""A real fleet of fake jobs: what people ask of jobs by name."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.programs.fleet import Fleet, fleet
from harness.programs.processes import children
from harness.waiting import PATIENCE, wait_until


@pytest.fixture
def a_fleet(tmp_path: Path) -> Iterator[Fleet]:
    """Three jobs at work."""
    with fleet(tmp_path) as made:
        for name in ("orders", "orders_eu", "clicks"):
            made.write_job(name)
        made.start()
        made.wait_all()
        yield made


def said(fleet: Fleet, *words: str) -> tuple[int, str, str]:
    """Exit status, stdout and stderr of a command."""
    done = fleet.run(*words)
    return done.returncode, done.stdout, done.stderr


def test_patterns_name_jobs(a_fleet: Fleet) -> None:
    """A restart of some leaves the others' pids as they are."""
    before = {job["name"]: job["pid"] for job in a_fleet.status()["jobs"]}
    assert said(a_fleet, "restart", "orders*") == (0, "changed: orders orders_eu\n", "")
    for name in ("orders", "orders_eu"):
        job = a_fleet.wait_for(name, state="running", pid=lambda pid, name=name: pid != before[name])
        assert job["restarts"] == 1
    assert a_fleet.job("clicks")["pid"] == before["clicks"]
    assert said(a_fleet, "restart", "x*") == (1, "", "cannot restart x*: no job fits\n")
    error = "cannot restart order: no job has that name, did you mean orders?\n"
    assert said(a_fleet, "restart", "order") == (1, "", error)


def test_a_paused_job_stays_so_over_reloads(a_fleet: Fleet) -> None:
    """Its process ends, a changed file waits, and resume starts it with that file."""
    assert said(a_fleet, "pause", "orders") == (0, "changed: orders\n", "")
    a_fleet.wait_for("orders", state="paused", pid=None, reason="as asked")
    assert said(a_fleet, "pause", "orders") == (0, "unchanged: orders\n", "")
    a_fleet.write_job("orders", step=1000)
    assert a_fleet.run("reload").returncode == 0
    assert a_fleet.run("reload", "orders").returncode == 0
    assert a_fleet.job("orders")["state"] == "paused"
    refusal = "cannot start orders: it is paused; resume lets it go on\n"
    assert said(a_fleet, "start-job", "orders") == (1, "", refusal)
    assert said(a_fleet, "start-job", "orders*") == (1, "unchanged: orders_eu\n", refusal)
    assert said(a_fleet, "resume", "*") == (0, "changed: orders\nunchanged: clicks orders_eu\n", "")
    a_fleet.wait_for("orders", state="running", events=lambda events: events > 2000)


def test_a_stopped_job_starts_when_asked(a_fleet: Fleet) -> None:
    """And not by a reload that finds its file unchanged."""
    assert said(a_fleet, "stop-job", "orders") == (0, "changed: orders\n", "")
    a_fleet.wait_for("orders", state="stopped", pid=None)
    a_fleet.run("reload")
    assert a_fleet.job("orders")["state"] == "stopped"
    assert said(a_fleet, "start-job", "orders") == (0, "changed: orders\n", "")
    a_fleet.wait_for("orders", state="running")


def test_a_start_ends_a_wait(tmp_path: Path) -> None:
    """A job in a long backoff is tried at once, a blocked one too."""
    with fleet(tmp_path, backoff_first=1000, backoff_limit=1000) as made:
        made.write_job("crashes", behave="crash")
        made.write_job("blocks", behave="setup")
        made.start()
        made.wait_for("crashes", state="backoff")
        made.wait_for("blocks", state="blocked")
        made.write_job("crashes")
        assert made.run("start-job", "crashes", "blocks").returncode == 0
        wait_until(lambda: made.log().count("crashes: backoff") == 2, "a second try")
        wait_until(lambda: made.log().count("blocks: blocked") == 2, "a second try")


def test_autostart_and_disabled(a_fleet: Fleet) -> None:
    """The one waits for somebody, the other for another file; both are listed."""
    a_fleet.write_job("lazy", autostart=0)
    a_fleet.write_job("off", disabled=1)
    assert said(a_fleet, "reload") == (0, "added: lazy off\nunchanged: clicks orders orders_eu\n", "")
    assert a_fleet.job("lazy")["reason"] == "autostart is 0 in its file"
    assert a_fleet.job("off")["reason"] == "disabled in its file"
    assert said(a_fleet, "start-job", "lazy")[0] == 0
    a_fleet.wait_for("lazy", state="running")
    error = "cannot start off: [sleeper] disabled is 1 in conf.d/off.ini\n"
    assert said(a_fleet, "start-job", "off") == (1, "", error)


def test_priorities_are_the_order_of_starts_and_stops(tmp_path: Path) -> None:
    """Lower numbers start first and stop last."""
    with fleet(tmp_path) as made:
        for name, priority in {"a": 300, "b": 200, "c": 100, "d": 50}.items():
            made.write_job(name, priority=priority)
        made.start()
        made.wait_all()
        begun = sorted((made.job(name)["pid"], name) for name in "abcd")
        assert [name for _pid, name in begun] == ["d", "c", "b", "a"]
        made.stop()
        stopping = [line.split()[4] for line in made.log().splitlines() if ": stopping" in line]
        assert stopping == ["a:", "b:", "c:", "d:", "tdsup-web:"]


def test_a_dry_run_tells_and_changes_nothing(a_fleet: Fleet) -> None:
    """Neither for the fleet nor for one job."""
    pids = {job["name"]: job["pid"] for job in a_fleet.status()["jobs"]}
    a_fleet.write_job("new")
    a_fleet.write_job("orders", step=2)
    a_fleet.write_job("clicks", stepp=2)
    (a_fleet.directory / "conf.d" / "orders_eu.ini").unlink()
    error = "cannot load conf.d/clicks.ini: [sleeper] stepp: unknown key, did you mean step?\n"
    told = (1, "added: new\nchanged: orders\nremoved: orders_eu\n", error)
    assert said(a_fleet, "reload", "--dry-run") == told
    assert said(a_fleet, "reload", "--dry-run", "orders") == (0, "changed: orders\n", "")
    assert {job["name"]: job["pid"] for job in a_fleet.status()["jobs"]} == pids
    assert a_fleet.job("clicks")["last_error"] == ""
    assert said(a_fleet, "reload") == told


def test_files_that_settle_are_taken_up(tmp_path: Path) -> None:
    """With watch, without a command; half-written ones wait, and only the changed job gets a new pid."""
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
    """Unless a file says otherwise; a faulty one is told by its place, and a change of them is a change."""
    with fleet(tmp_path, defaults={"step": 1000, "log_count": 7}) as made:
        made.write_job("orders")
        made.write_job("clicks", step=1)
        made.start()
        made.wait_for("orders", events=lambda events: events >= 1000 and events % 1000 == 0)
        made.wait_for("clicks", events=lambda events: 0 < events < 1000)
        made.write_settings(defaults={"step": 2000, "log_count": 7})
        assert said(made, "reload") == (0, "changed: orders\nunchanged: clicks\n", "")
        made.write_settings(defaults={"step": "x"})
        place = "cannot load conf.d/orders.ini: defaults of tdsup.yaml: step"
        error = f"{place}: must be a whole number (it is 'x')\n"
        assert said(made, "check")[2] == error


def test_settings_that_need_a_new_start_are_told(a_fleet: Fleet) -> None:
    """A reload takes up the globs and defaults; a broken tdsup.yaml changes nothing."""
    a_fleet.write_settings(jobs=["conf.d/o*.ini"], stop_timeout=7)
    warning = "tdsup.yaml: stop_timeout: takes effect when the fleet is started again\n"
    assert said(a_fleet, "reload") == (0, "removed: clicks\nunchanged: orders orders_eu\n", warning)
    assert warning in a_fleet.log()
    (a_fleet.directory / "tdsup.yaml").write_text("jobs: [", encoding="utf-8")
    reply = a_fleet.ask("reload")
    assert reply["error"]["code"] == "bad-config"
    assert len(a_fleet.status()["jobs"]) == 2


def test_logs_are_rotated_when_asked(a_fleet: Fleet) -> None:
    """All of them, by command or signal, or some; each goes on in a new file."""
    assert said(a_fleet, "rotate", "orders") == (0, "rotated: orders\n", "")
    folder = a_fleet.directory / "log"
    a_fleet.write_job("says", behave="write", line="hello", times=1)
    a_fleet.run("reload")
    a_fleet.wait_for("says", state="running")
    os.kill(a_fleet.pid, signal.SIGUSR1)
    wait_until((folder / "says.log.1").exists, "the job's log is rotated")
    assert "hello" in (folder / "says.log.1").read_text()
    assert (folder / "says.log").read_text() == ""
    assert (folder / "tdsup.log.1").exists()
    assert a_fleet.job("says")["state"] == "running"
    names = "rotated: clicks orders orders_eu says\n"
    assert said(a_fleet, "rotate") == (0, names, "")


def test_logs_are_followed_over_rotations(a_fleet: Fleet) -> None:
    """No line is missed or shown twice; without -f the last lines are shown and that is all."""
    with subprocess.Popen(
        a_fleet.command("logs", "-f", "-n", "1"),
        env=a_fleet.environment(),
        stdout=subprocess.PIPE,
        text=True,
    ) as follower:
        assert follower.stdout is not None
        try:
            seen = [next(follower.stdout)]
            for _ in range(3):
                a_fleet.run("restart", "clicks")
                a_fleet.wait_for("clicks", state="running")
                a_fleet.run("rotate")
            a_fleet.write_job("last")
            a_fleet.run("reload")
            while "last: starting" not in seen[-1] and "last: running" not in seen[-1]:
                seen.append(next(follower.stdout))
        finally:
            follower.send_signal(signal.SIGINT)
        assert follower.wait(PATIENCE) == 0
    folder = a_fleet.directory / "log"
    written = "".join(
        (folder / f"tdsup.log{suffix}").read_text()
        for suffix in (".3", ".2", ".1", "")
        if (folder / f"tdsup.log{suffix}").exists()
    )
    assert "".join(seen) in written
    assert len([line for line in seen if "asks: restart" in line]) == 3
    a_fleet.wait_for("last", state="running")
    assert a_fleet.run("logs", "-n", "2").stdout == "".join(a_fleet.log().splitlines(keepends=True)[-2:])
    assert said(a_fleet, "logs", "nope") == (1, "", "cannot show the log of nope: no job has that name\n")


def test_the_log_of_a_job_is_there_though_its_file_is_broken(a_fleet: Fleet) -> None:
    """When one needs it; whether the fleet runs or not."""
    a_fleet.write_job("orders", behav="x")
    assert a_fleet.run("logs", "orders").returncode == 0
    a_fleet.stop()
    done = a_fleet.run("logs", "orders")
    assert (done.returncode, done.stderr.partition(": [")[0]) == (1, "cannot load conf.d/orders.ini")


def test_a_fleet_started_without_streams_has_one_master(tmp_path: Path) -> None:
    """A child whose stdout is closed ends where it ends, and does not go on as a second master."""
    with fleet(tmp_path, log_count=0) as made:
        made.write_job("orders")
        made.write_job("crashes", behave="crash")
        done = subprocess.run(
            ["bash", "-c", 'exec "$@" >&- 2>&-', "bash", *made.command("start", "-d")],
            env=made.environment(),
            check=False,
        )
        assert done.returncode == 0
        made.wait_for("crashes", restarts=lambda count: count > 3)
        for _ in range(3):
            assert made.run("restart", "orders").returncode == 0
            made.wait_for("orders", state="running")
        assert len(made.processes()) <= 4
        assert all(not children(child) for child in made.children())
        made.stop()
        assert made.processes() == []


def test_a_stalled_master_kills_nobody(tmp_path: Path) -> None:
    """Signs of life that came while it could not read them count before their absence does."""
    with fleet(tmp_path, heartbeat_timeout=1.5) as made:
        made.write_job("orders", behave="standby")
        made.start()
        made.wait_for("orders", state="standby")
        pid = made.pid
        for _ in range(3):
            os.kill(pid, signal.SIGSTOP)
            time.sleep(2)
            os.kill(pid, signal.SIGCONT)
            assert made.job("orders")["restarts"] == 0
        assert "SIGKILL" not in made.log()


def test_status_shows_some_jobs_and_watches(a_fleet: Fleet) -> None:
    """A live table until Ctrl-C, which ends it with 0."""
    table = a_fleet.run("status", "orders*").stdout.splitlines()
    assert [line.split()[0] for line in table] == ["JOB", "orders", "orders_eu"]
    with subprocess.Popen(
        a_fleet.command("status", "--watch", "clicks"),
        env=a_fleet.environment(),
        stdout=subprocess.PIPE,
        text=True,
    ) as watching:
        assert watching.stdout is not None
        lines = [next(watching.stdout) for _ in range(6)]
        watching.send_signal(signal.SIGINT)
        assert watching.wait(PATIENCE) == 0
    assert [line.split()[:1] for line in lines] == [["JOB"], ["clicks"], []] * 2


def test_a_shell_can_complete(a_fleet: Fleet) -> None:
    """The script for bash knows commands, switches and the names of jobs."""
    script = a_fleet.run("completion", "bash").stdout
    tdsup = Path(a_fleet.command()[0]).parent
    for words, expected in {
        "tdsup star": {"start", "start-job"},
        "tdsup reload --dr": {"--dry-run"},
        "tdsup restart ord": {"orders", "orders_eu"},
    }.items():
        parts = words.split()
        question = (
            f"PATH={tdsup}:$PATH; cd {a_fleet.directory}\n{script}\n"
            f"COMP_WORDS=({words}); COMP_CWORD={len(parts) - 1}; _shtab_tdsup\n"
            'printf "%s\\n" "${COMPREPLY[@]}"'
        )
        done = subprocess.run(
            ["bash", "-c", question], env=a_fleet.environment(), capture_output=True, text=True, check=False
        )
        assert set(done.stdout.split()) == expected, done.stderr
    assert a_fleet.run("completion", "zsh").stdout.startswith("#compdef tdsup")
