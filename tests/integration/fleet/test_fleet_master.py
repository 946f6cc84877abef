"""A real fleet of fake jobs: the master's life, from its start to its end."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.programs.fleet import Fleet, fleet
from harness.programs.processes import alive
from harness.waiting import wait_until


@pytest.fixture
def a_fleet(tmp_path: Path) -> Iterator[Fleet]:
    """A fleet without jobs, not started."""
    with fleet(tmp_path) as made:
        yield made


def test_an_end_of_file_is_seen_though_siblings_live(a_fleet: Fleet) -> None:
    """No process holds the master's end of another's channel: frozen ones do not keep others alive."""
    for name in ("a", "b", "c"):
        a_fleet.write_job(name)
    a_fleet.start()
    a_fleet.wait_all()
    pids = {job["name"]: job["pid"] for job in a_fleet.status()["jobs"]}
    for name in ("b", "c"):
        a_fleet.kill_worker(name, signal.SIGSTOP)
    a_fleet.kill_master()
    wait_until(lambda: not alive(pids["a"]), "the one that runs is gone", timeout=1.5)


def test_a_death_is_noticed_though_sigchld_was_ignored(a_fleet: Fleet) -> None:
    """By whoever started the master: an ignored signal stays ignored over exec(2)."""
    a_fleet.program = ["env", "--ignore-signal=CHLD", *a_fleet.program]
    a_fleet.write_job("orders")
    a_fleet.start()
    a_fleet.wait_all()
    pid = a_fleet.kill_worker("orders")
    wait_until(lambda: a_fleet.job("orders")["pid"] not in {pid, None}, "another process runs")
    os.kill(a_fleet.pid, signal.SIGTERM)
    assert a_fleet.exit_code() == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_fleet(a_fleet: Fleet, number: signal.Signals) -> None:
    """All batches end, in parallel; the socket is gone, the last line says so, the exit status is 0."""
    for name in ("orders", "clicks", "more"):
        a_fleet.write_job(name, behave="slow_end")
    a_fleet.start()
    a_fleet.wait_all()
    begun = time.monotonic()
    os.kill(a_fleet.pid, number)
    wait_until(lambda: not a_fleet.processes(), "all is gone")
    assert time.monotonic() - begun < 1.2
    assert a_fleet.stderr().endswith("the fleet has stopped\n")
    assert not (a_fleet.directory / "run" / "tdsup.sock").exists()
    assert a_fleet.exit_code() == 0


def test_a_background_start_returns_when_it_answers(a_fleet: Fleet) -> None:
    """The next command is served; the master has no terminal and no parent but init."""
    a_fleet.write_job("orders")
    started = a_fleet.run("start", "-d")
    said = re.fullmatch(r"1 job: 1 (starting|running)\npage: (http://127.0.0.1:\d+/)\n", started.stdout)
    assert said, started.stdout
    assert (started.returncode, started.stderr) == (0, "")
    assert f"the page is {said[2]}" in a_fleet.log()
    assert a_fleet.run("status").returncode == 0
    wait_until(lambda: a_fleet.job("orders")["state"] == "running", "orders runs")
    for stream in (0, 1, 2):
        assert str(Path(f"/proc/{a_fleet.pid}/fd/{stream}").readlink()) in {
            "/dev/null",
            str(a_fleet.directory / "log" / "tdsup.log"),
        }
    stopped = a_fleet.run("stop")
    assert (stopped.returncode, stopped.stdout, stopped.stderr) == (0, "", "")
    assert a_fleet.processes() == []
    assert a_fleet.run("start", "-d").returncode == 0


@pytest.mark.parametrize("how", [["start"], ["start", "-d"]])
def test_a_start_that_fails_says_why(a_fleet: Fleet, how: list[str]) -> None:
    """It is the same line in the foreground and in the background, without a traceback."""
    (a_fleet.directory / "log").write_text("", encoding="utf-8")
    failed = a_fleet.run(*how)
    assert (failed.returncode, failed.stderr) == (1, "cannot start the fleet: log: File exists\n")


def test_a_socket_that_is_left_over_is_no_obstacle(a_fleet: Fleet) -> None:
    """After a kill -9 of the master the next one starts at once."""
    a_fleet.write_job("orders")
    a_fleet.start()
    a_fleet.kill_master()
    wait_until(lambda: not a_fleet.processes(), "all is gone")
    assert (a_fleet.directory / "run" / "tdsup.sock").exists()
    assert a_fleet.run("start", "-d").returncode == 0
    a_fleet.wait_all()


def test_whoever_removes_the_socket_ends_nothing(a_fleet: Fleet) -> None:
    """It is made anew within 10 s with its folder, and no second master starts meanwhile."""
    a_fleet.write_job("orders")
    a_fleet.start()
    a_fleet.wait_all()
    shutil.rmtree(a_fleet.directory / "run")
    second = a_fleet.run("start", "-d")
    assert second.returncode == 1
    assert "cannot start the fleet: another master already runs here" in second.stderr
    asked = a_fleet.run("status")
    assert "a master runs in" in asked.stderr or asked.returncode == 0
    wait_until(lambda: not a_fleet.run("status").returncode, "it answers", timeout=10)
    assert a_fleet.job("orders")["state"] == "running"
    assert "somebody has removed the control socket run/tdsup.sock: it is made anew" in a_fleet.log()
    a_fleet.stop()


@pytest.mark.parametrize("command", ["status", "stop", "reload"])
def test_without_a_master_commands_say_so(a_fleet: Fleet, command: str) -> None:
    """One line and exit status 3, which means: not running."""
    failed = a_fleet.run(command)
    line = (
        f"cannot reach the fleet: no master runs in {a_fleet.directory} (it would listen on run/tdsup.sock); "
        "-C DIR names another directory\n"
    )
    assert (failed.returncode, failed.stdout, failed.stderr) == (3, "", line)


def test_a_fleet_that_is_found_is_named(a_fleet: Fleet, tmp_path: Path) -> None:
    """By a command that changes something, unless the command line names it; ``TDSUP_DIR`` does not."""
    a_fleet.write_job("orders")
    words = [*a_fleet.program]
    environment = {**a_fleet.environment(), "TDSUP_DIR": str(a_fleet.directory)}
    name = f"fleet: {a_fleet.directory}\n"

    def says(*arguments: str) -> str:
        done = subprocess.run(
            [*words, *arguments],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
            cwd="/",
            timeout=60,
        )
        return done.stdout

    assert says("start", "-d").startswith(name)
    a_fleet.wait_all()
    assert says("pause", "orders") == f"{name}changed: orders\n"
    assert name not in says("status")
    assert says("stop") == name


def test_bad_words_on_the_command_line(a_fleet: Fleet, tmp_path: Path) -> None:
    """No directory, no fleet, bad settings, no such command: one line and an exit status each."""
    a_fleet.write_settings(jobz=[])
    failed = a_fleet.run("start")
    line = "cannot load tdsup.yaml: jobz: unknown key, did you mean jobs?\n"
    assert (failed.returncode, failed.stderr) == (78, line)
    assert a_fleet.run("strat").returncode == 2
    failed = a_fleet.run("-C", "nowhere", "start")
    assert (failed.returncode, failed.stderr) == (78, "cannot enter nowhere: No such file or directory\n")
    (tmp_path / "empty").mkdir()
    failed = a_fleet.run("-C", str(tmp_path / "empty"), "start")
    assert failed.returncode == 78
    assert failed.stderr.startswith(
        f"cannot find a fleet in {tmp_path}/empty: neither conf.d/*.ini nor tdsup.yaml"
    )


def test_every_command_explains_itself(a_fleet: Fleet) -> None:
    """With an example and its exit status."""
    commands = re.findall(r"^ {4}([a-z][a-z-]+)", a_fleet.run("--help").stdout, re.MULTILINE)
    assert {"start", "stop", "status", "restart", "pause", "logs", "check", "import"} <= set(commands)
    for command in commands:
        helped = a_fleet.run(command, "--help")
        assert helped.returncode == 0
        assert f"example: tdsup {command}" in helped.stdout
        assert "exit status: 0 done, 1 refused" in helped.stdout


DYING = """
import sys
from pathlib import Path
from unittest import mock
from tdsup.supervisor import loop
from tdsup.supervisor.cli.tdsup import main
from tdsup.supervisor.master.process import Process

class DyingLoop(loop.Loop):
    def _wait(self):
        if Path("die").exists():
            raise RuntimeError("the loop is dead")
        return 0.02

with mock.patch("tdsup.supervisor.service.Loop", DyingLoop), mock.patch.object(Process, "send"):
    sys.exit(main())
"""
"""A master whose loop dies, and whose signals reach nobody."""


def test_a_master_whose_loop_dies_waits_for_no_child(a_fleet: Fleet) -> None:
    """It says why and ends at once with exit status 1, though a frozen job lives on."""
    a_fleet.program = [sys.executable, "-c", DYING]
    a_fleet.write_job("orders", behave="freeze")
    a_fleet.start()
    wait_until(lambda: "keeping the interpreter's lock" in a_fleet.log("orders"), "the job is frozen")
    frozen = a_fleet.job("orders")["pid"]
    try:
        (a_fleet.directory / "die").touch()
        wait_until(lambda: not alive(a_fleet.pid_of_master), "the master has ended", timeout=5)
        assert alive(frozen)
    finally:
        os.kill(frozen, signal.SIGKILL)
    assert a_fleet.exit_code() == 1
    assert "RuntimeError: the loop is dead" in a_fleet.stderr()


def test_status_is_a_table_and_json(a_fleet: Fleet) -> None:
    """For people and for programs, with all documented keys."""
    a_fleet.write_job("orders")
    a_fleet.start()
    a_fleet.wait_all()
    table = a_fleet.run("status").stdout.splitlines()
    assert table[0].split() == "JOB STATE PID SINCE EVENTS/S LAG DEAD PARTITIONS RESTARTS REASON".split()
    assert table[1].split()[:2] == ["orders", "running"]
    answer = json.loads(a_fleet.run("status", "--json").stdout)
    assert answer["master"]["pid"] == a_fleet.pid
    assert set(answer["jobs"][0]) == set(
        "name state pid since events_per_second lag events rows dead_letters dead_letters_kept batches "
        "partitions works restarts reason trouble held_up kept last_error last_error_age retry_in file type "
        "log".split()
    )


def test_a_fleet_without_jobs_runs(a_fleet: Fleet) -> None:
    """And picks up jobs when they come."""
    a_fleet.start()
    assert a_fleet.run("status").stdout.splitlines()[1:] == ["no jobs"]
    a_fleet.write_job("orders")
    assert a_fleet.run("reload").stdout == "added: orders\n"
    a_fleet.wait_all()


def test_half_a_control_line_does_not_block(a_fleet: Fleet) -> None:
    """Clients that stop in the middle of a word delay nobody, and do not keep the fleet from stopping."""
    a_fleet.write_job("orders")
    a_fleet.start()
    halves = [a_fleet.connect() for _ in range(50)]
    for half in halves:
        half.sendall(b'{"cmd":"sto')
    begun = time.monotonic()
    a_fleet.status()
    assert time.monotonic() - begun < 1
    a_fleet.stop()
    for half in halves:
        half.close()
    assert a_fleet.processes() == []
