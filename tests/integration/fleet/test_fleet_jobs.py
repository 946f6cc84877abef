"""A real fleet of fake jobs: what happens to a job's process, and what the master makes of it."""

from __future__ import annotations

import signal
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
    with fleet(tmp_path, heartbeat_timeout=2, stop_timeout=0.5, kill_timeout=0.5) as made:
        yield made


def descriptors(pid: int) -> dict[int, str]:
    """What the open descriptors of a process are."""
    return {int(entry.name): str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir()}


def count(pid: int) -> int:
    """How many descriptors a process has open."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def test_jobs_run_and_count(a_fleet: Fleet) -> None:
    """Every file is a job with a process, numbers and a log of its own."""
    for name in ("orders", "clicks"):
        a_fleet.write_job(name)
    a_fleet.start()
    for name in ("orders", "clicks"):
        job = a_fleet.wait_for(name, state="running", events=lambda events: events > 5)
        assert job["reason"] == ""
        assert job["lag"] < 5
        assert job["events_per_second"] > 0
        assert (a_fleet.directory / job["log"]).exists()
    pids = [job["pid"] for job in a_fleet.status()["jobs"]]
    assert len(set(pids)) == 2
    assert set(pids) < set(a_fleet.children())
    a_fleet.stop()
    assert not any(map(alive, pids))


def test_a_killed_job_comes_back_and_its_counters_never_fall(a_fleet: Fleet) -> None:
    """Over three kill -9, the other job keeps its pid, and every look shows more events than the last."""
    for name in ("orders", "clicks"):
        a_fleet.write_job(name)
    a_fleet.start()
    other = a_fleet.wait_for("clicks", state="running")["pid"]
    last = 0
    for kills in range(1, 4):
        a_fleet.wait_for("orders", state="running", events=lambda events, last=last: events > last + 3)
        before = a_fleet.job("orders")["events"]
        a_fleet.kill_worker("orders")
        last = a_fleet.wait_for("orders", restarts=kills, state="running")["events"]
        assert last >= before
    assert a_fleet.job("clicks")["pid"] == other
    assert "orders: backoff 0.1 s: killed by SIGKILL" in a_fleet.log()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_ended_on_purpose_stays_down_and_the_master_up(
    a_fleet: Fleet, number: signal.Signals
) -> None:
    """SIGTERM or SIGINT to a worker ends that worker only, and its reason says so."""
    for name in ("orders", "clicks"):
        a_fleet.write_job(name)
    a_fleet.start()
    a_fleet.wait_all()
    other = a_fleet.job("clicks")["pid"]
    pid = a_fleet.kill_worker("orders", number)
    job = a_fleet.wait_for("orders", state="stopped", pid=None)
    assert number.name in job["reason"]
    assert not alive(pid)
    assert a_fleet.job("clicks")["pid"] == other
    assert a_fleet.run("reload", "orders").returncode == 0
    a_fleet.wait_for("orders", state="running")


def test_exit_78_is_not_restarted(a_fleet: Fleet) -> None:
    """The job is blocked with the worker's own words, passwords hidden, until somebody says so."""
    a_fleet.write_job("orders", behave="setup")
    a_fleet.start()
    job = a_fleet.wait_for("orders", state="blocked", pid=None)
    line = "cannot load orders: no table orders and no part_template in two lines, password=********"
    assert (job["reason"], job["restarts"]) == (line, 0)
    assert f"ERROR {line}" in a_fleet.log("orders")
    assert "Traceback" not in a_fleet.log("orders")
    assert "hunter2" not in a_fleet.log() + a_fleet.log("orders")
    a_fleet.write_job("orders")
    assert a_fleet.run("reload").stdout == "changed: orders\n"
    a_fleet.wait_for("orders", state="running")


def test_a_crash_loop_backs_off(a_fleet: Fleet) -> None:
    """Ever more restarts with a reason and a next retry, never blocked; numbers say why."""
    a_fleet.write_job("orders", behave="crash")
    a_fleet.write_job("clicks", behave="exit")
    a_fleet.start()
    job = a_fleet.wait_for("orders", state="backoff", restarts=lambda count: count >= 3, pid=None)
    assert job["reason"] == job["last_error"] == "cannot run orders: RuntimeError: on purpose"
    assert 0 <= job["retry_in"] < 0.5
    assert a_fleet.wait_for("clicks", state="backoff")["reason"] == "exit status 5"


def test_a_worker_that_retries_by_itself_is_in_backoff_with_its_pid(a_fleet: Fleet) -> None:
    """It lives; its reason shows; one that waits for another is standby."""
    a_fleet.write_job("orders", behave="retry")
    a_fleet.write_job("clicks", behave="standby")
    a_fleet.start()
    job = a_fleet.wait_for("orders", state="backoff")
    assert (job["reason"], job["retry_in"]) == ("cannot connect: refused", None)
    assert alive(job["pid"])
    assert a_fleet.wait_for("clicks", state="standby")["reason"] == "another one works"


def test_a_job_that_is_done_is_stopped(a_fleet: Fleet) -> None:
    """Exit 0 by itself is no failure."""
    a_fleet.write_job("orders", behave="done")
    a_fleet.start()
    assert a_fleet.wait_for("orders", state="stopped")["reason"].startswith("ended")


def test_a_frozen_worker_is_replaced(a_fleet: Fleet) -> None:
    """No heartbeat: neither a C call that keeps Python nor SIGSTOP holds up a job for good."""
    a_fleet.write_job("orders", behave="freeze", after=0.2)
    a_fleet.write_job("clicks")
    a_fleet.start()
    a_fleet.wait_all()
    stopped = a_fleet.kill_worker("clicks", signal.SIGSTOP)
    job = a_fleet.wait_for("clicks", restarts=1, state="running")
    assert job["last_error"] == "no heartbeat for 2 s"
    assert not alive(stopped)
    a_fleet.wait_for("orders", restarts=lambda count: count > 0)


def test_a_long_c_call_is_no_freeze(a_fleet: Fleet) -> None:
    """The heartbeat goes on while the main thread is in a library for longer than the timeout."""
    a_fleet.write_job("orders", behave="long_call")
    a_fleet.start()
    pid = a_fleet.wait_for("orders", state="running")["pid"]
    time.sleep(3)
    assert a_fleet.job("orders")["pid"] == pid


@pytest.mark.parametrize("behave", ["stubborn", "deaf", "long_call", "freeze"])
def test_no_worker_holds_up_a_stop(a_fleet: Fleet, behave: str) -> None:
    """One that does not end by SIGINT gets SIGTERM, then SIGKILL, each after its time."""
    a_fleet.write_job("orders", behave=behave)
    a_fleet.start()
    pid = a_fleet.wait_for("orders", state="running")["pid"]
    begun = time.monotonic()
    a_fleet.stop()
    assert 0.4 < time.monotonic() - begun < 5
    assert not alive(pid)
    assert "orders: sent SIGTERM" in a_fleet.log()
    assert ("orders: sent SIGKILL" in a_fleet.log()) == (behave == "deaf")


def test_a_job_disabled_in_its_file_is_listed_only(a_fleet: Fleet) -> None:
    """Until its file says otherwise."""
    a_fleet.write_job("orders", disabled=1)
    a_fleet.start()
    assert a_fleet.wait_for("orders", state="stopped")["reason"] == "disabled in its file"
    a_fleet.write_job("orders", disabled=0)
    assert a_fleet.run("reload").returncode == 0
    a_fleet.wait_for("orders", state="running")


def test_a_child_has_only_its_own_descriptors(a_fleet: Fleet) -> None:
    """Its log, its channel, its wake-up pair, the standard three."""
    for name in ("a", "b", "c"):
        a_fleet.write_job(name)
    a_fleet.start()
    a_fleet.wait_all()
    a_fleet.kill_worker("a")
    a_fleet.wait_for("a", state="running", restarts=1)
    for job in a_fleet.status()["jobs"]:
        found = descriptors(job["pid"])
        log = str(a_fleet.directory / job["log"])
        own = {fd: what for fd, what in found.items() if what != log}
        assert [what for fd, what in found.items() if what == log and fd in {1, 2}] == [log, log]
        assert len(found) - len(own) == 3
        assert own.pop(0) == "/dev/null"
        assert sorted(what.partition(":")[0] for what in own.values()) == ["socket"] * 3


def test_the_master_has_no_thread_and_no_leak(a_fleet: Fleet) -> None:
    """One task, before and after restarts, reloads and clients; and as many descriptors as before."""
    a_fleet.write_job("orders")
    a_fleet.start()
    a_fleet.wait_all()
    a_fleet.get("/healthz")
    before = count(a_fleet.pid)
    for restarts in range(1, 4):
        a_fleet.kill_worker("orders")
        a_fleet.wait_for("orders", state="running", restarts=restarts)
    assert a_fleet.run("reload", "orders").returncode == 0
    a_fleet.wait_for("orders", state="running", restarts=4)
    a_fleet.get("/metrics")
    assert len(list(Path(f"/proc/{a_fleet.pid}/task").iterdir())) == 1
    wait_until(lambda: count(a_fleet.pid) <= before, "as many descriptors as before")


def test_whatever_a_child_writes_is_in_its_log(a_fleet: Fleet) -> None:
    """Also what goes to descriptors 1 and 2 directly or comes from a C library, also after rotation."""
    a_fleet.write_job("orders", behave="write", line="x" * 50, times=30, log_size=1000, log_count=9)
    a_fleet.start()
    a_fleet.wait_for("orders", state="running", events=lambda events: events > 0)
    files = sorted((a_fleet.directory / "log").glob("orders.log*"))
    lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    assert len(files) > 3
    assert sum(line.endswith(tuple(f"{'x' * 50} {number}" for number in range(30))) for line in lines) == 30
    for number in range(30):
        assert f"stdout {number}" in lines
        assert f"stderr {number}" in lines
    assert "from a C library" in a_fleet.log("orders")


def test_a_log_that_cannot_be_opened_is_a_reason(a_fleet: Fleet) -> None:
    """And the job is tried again."""
    a_fleet.write_job("orders")
    (a_fleet.directory / "log" / "orders.log").mkdir(parents=True)
    a_fleet.start()
    job = a_fleet.wait_for("orders", state="backoff", restarts=lambda count: count > 0, pid=None)
    assert job["reason"] == "cannot load conf.d/orders.ini: [sleeper] logfile: Is a directory: log/orders.log"
    (a_fleet.directory / "log" / "orders.log").rmdir()
    a_fleet.wait_for("orders", state="running")
