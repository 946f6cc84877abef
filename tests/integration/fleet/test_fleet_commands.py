"""A real fleet of fake jobs: what people ask of jobs by name."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

from harness.programs.fleet import Fleet, fleet
from harness.programs.processes import children
from harness.waiting import PATIENCE, wait_until


def test_patterns_name_jobs(a_fleet: Fleet) -> None:
    """Restarting some jobs does not change the pids of the others."""
    before = {job["name"]: job["pid"] for job in a_fleet.status()["jobs"]}
    assert a_fleet.said("restart", "orders*") == (0, "changed: orders orders_eu\n", "")
    for name in ("orders", "orders_eu"):
        job = a_fleet.wait_for(name, state="running", pid=lambda pid, name=name: pid != before[name])
        assert job["restarts"] == 1
    assert a_fleet.job("clicks")["pid"] == before["clicks"]
    assert a_fleet.said("restart", "x*") == (1, "", "cannot restart x*: no job fits\n")
    error = "cannot restart order: no job has that name, did you mean orders?\n"
    assert a_fleet.said("restart", "order") == (1, "", error)


def test_a_fleet_is_judged_in_one_line(tmp_path: Path) -> None:
    """For Nagios: its exit statuses; what is paused on purpose is well, and no master is not."""
    with fleet(tmp_path, backoff_first=1000, backoff_limit=1000) as made:
        code, text, complaint = made.said("status", "--check")
        assert (code, complaint) == (2, "")
        assert text.startswith(f"tdsup CRITICAL: cannot reach the fleet: no master runs in {made.directory} ")
        made.write_job("well")
        made.write_job("rests")
        made.start()
        made.wait_all()
        made.run("pause", "rests")
        made.wait_for("rests", state="paused")
        assert made.said("status", "--check") == (0, "tdsup OK: 2 jobs: 1 running, 1 paused\n", "")
        made.write_job("crashes", behave="crash")
        made.run("reload")
        made.wait_for("crashes", state="backoff")
        text = "tdsup WARNING: 3 jobs: 1 backoff, 1 running, 1 paused; backoff: crashes\n"
        assert made.said("status", "--check") == (1, text, "")
        made.write_job("blocks", behave="setup")
        made.run("reload")
        made.wait_for("blocks", state="blocked")
        text = "tdsup CRITICAL: 2 jobs: 1 blocked, 1 running; blocked: blocks\n"
        assert made.said("status", "--check", "blocks", "well") == (2, text, "")
        assert made.run("status", "--state", "paused").stdout.splitlines()[1:] != []
        shown = [line.split()[0] for line in made.run("status", "--state", "blocked").stdout.splitlines()]
        assert shown == ["JOB", "blocks", "1"]
        (made.directory / "tdsup.yaml").write_text("socket: 5\n", encoding="utf-8")
        unknown = "tdsup UNKNOWN: cannot load tdsup.yaml: socket: must be a text\n"
        assert made.said("status", "--check") == (3, unknown, "")


def test_a_paused_job_stays_so_over_reloads(a_fleet: Fleet) -> None:
    """Its process ends, a changed file waits, and resume starts it with that file."""
    assert a_fleet.said("pause", "orders") == (0, "changed: orders\n", "")
    a_fleet.wait_for("orders", state="paused", pid=None, reason="as asked")
    assert a_fleet.said("pause", "orders") == (0, "unchanged: orders\n", "")
    a_fleet.write_job("orders", step=1000)
    assert a_fleet.run("reload").returncode == 0
    assert a_fleet.run("reload", "orders").returncode == 0
    assert a_fleet.job("orders")["state"] == "paused"
    refusal = "cannot start orders: it is paused; resume lets it go on\n"
    assert a_fleet.said("start-job", "orders") == (1, "", refusal)
    assert a_fleet.said("start-job", "orders*") == (1, "unchanged: orders_eu\n", refusal)
    assert a_fleet.said("resume", "*") == (0, "changed: orders\nunchanged: clicks orders_eu\n", "")
    a_fleet.wait_for("orders", state="running", events=lambda events: events > 2000)


def test_a_stopped_job_starts_when_asked(a_fleet: Fleet) -> None:
    """A reload that finds its file unchanged does not start it."""
    assert a_fleet.said("stop-job", "orders") == (0, "changed: orders\n", "")
    a_fleet.wait_for("orders", state="stopped", pid=None)
    a_fleet.run("reload")
    assert a_fleet.job("orders")["state"] == "stopped"
    assert a_fleet.said("start-job", "orders") == (0, "changed: orders\n", "")
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
    """One waits to be started, the other for a changed file; both are listed."""
    a_fleet.write_job("lazy", autostart=0)
    a_fleet.write_job("off", disabled=1)
    assert a_fleet.said("reload") == (0, "added: lazy off\nunchanged: clicks orders orders_eu\n", "")
    assert a_fleet.job("lazy")["reason"] == "autostart is 0 in its file"
    assert a_fleet.job("off")["reason"] == "disabled in its file"
    assert a_fleet.said("start-job", "lazy")[0] == 0
    a_fleet.wait_for("lazy", state="running")
    error = "cannot start off: [sleeper] disabled is 1 in conf.d/off.ini\n"
    assert a_fleet.said("start-job", "off") == (1, "", error)


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


def test_a_fleet_started_without_streams_has_one_master(tmp_path: Path) -> None:
    """A child whose stdout is closed ends as it should, and does not go on as a second master."""
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
    """Signs of life that arrived while it could not read them count."""
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
    assert [line.split()[0] for line in table] == ["JOB", "orders", "orders_eu", "2"]
    with subprocess.Popen(
        a_fleet.command("status", "--watch", "clicks"),
        env=a_fleet.environment(),
        stdout=subprocess.PIPE,
        text=True,
    ) as watching:
        assert watching.stdout is not None
        lines = [next(watching.stdout) for _ in range(8)]
        watching.send_signal(signal.SIGINT)
        assert watching.wait(PATIENCE) == 0
    assert [line.split()[:1] for line in lines] == [["JOB"], ["clicks"], ["1"], []] * 2


def test_a_shell_can_complete(a_fleet: Fleet) -> None:
    """The script for bash knows commands, switches and the names of jobs, also of a fleet elsewhere."""
    script = a_fleet.run("completion", "bash").stdout
    tdsup = Path(a_fleet.command()[0]).parent
    here = a_fleet.directory
    for words, place, expected in (
        ("tdsup star", here, {"start", "start-job"}),
        ("tdsup reload --dr", here, {"--dry-run"}),
        ("tdsup restart ord", here, {"orders", "orders_eu"}),
        ("tdsup restart ord", "/", set()),
        (f"tdsup -C {here} restart ord", "/", {"orders", "orders_eu"}),
        (f"tdsup -C \\'{here}\\' restart ord", "/", {"orders", "orders_eu"}),
        (f"tdsup -C {here} star", "/", {"start", "start-job"}),
    ):
        parts = words.split()
        question = (
            f"PATH={tdsup}:$PATH; cd {place}\n{script}\n"
            f"COMP_WORDS=({words}); COMP_CWORD={len(parts) - 1}; _shtab_tdsup\n"
            'printf "%s\\n" "${COMPREPLY[@]}"'
        )
        done = subprocess.run(
            ["bash", "-c", question], env=a_fleet.environment(), capture_output=True, text=True, check=False
        )
        assert set(done.stdout.split()) == expected, done.stderr
    assert a_fleet.run("completion", "zsh").stdout.startswith("#compdef tdsup")
