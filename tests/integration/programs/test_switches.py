"""The switches of ``table_dispatcher``, on a fake job type, without a fleet."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess

import pytest
from harness.paths import TABLE_DISPATCHER
from harness.programs.desk import Desk
from harness.programs.processes import alive
from harness.waiting import wait_until


def test_a_daemon_needs_a_pid_file(desk: Desk) -> None:
    """As with the original, and in its words."""
    desk.write(pidfile="")
    assert desk.ends("-d") == (1, "cannot start orders as a daemon: Daemon needs pidfile\n")


def test_d_returns_once_the_daemon_works(desk: Desk) -> None:
    """The pid file names it; it has its own session, and its log has the job's lines."""
    desk.write(behave="write", line="hello")
    pid = desk.daemon()
    assert os.getsid(pid) != os.getsid(0)
    wait_until(lambda: "hello" in desk.log, "it works")
    assert desk.ends("-s") == (0, "")
    wait_until(lambda: not alive(pid), "it ends")
    assert desk.pid is None


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({"behave": "setup"}, "cannot load orders: no table orders and no part_template"),
        ({"pidfile": "no/ne/x.pid"}, "[sleeper] pidfile: No such file or directory: no/ne/x.pid"),
        (
            {"logfile": "none/orders.log"},
            "[sleeper] logfile: must be in a directory that exists; none does not",
        ),
        ({"use_skylog": 2}, "[sleeper] skylog_locations: no such file: skylog.ini"),
    ],
)
def test_d_says_why_there_is_no_daemon(desk: Desk, keys: dict[str, object], reason: str) -> None:
    """Exit status 1, one line, no password in it, and nothing left behind."""
    desk.write(**keys)
    code, said = desk.ends("-d")
    assert (code, said.count("\n"), reason in said) == (1, 1, True), said
    assert "hunter2" not in said
    assert desk.pid is None


@pytest.mark.parametrize("switches", [("-d",), ()])
def test_a_second_one_is_refused(desk: Desk, switches: tuple[str, ...]) -> None:
    """With the pid of the first."""
    desk.write()
    pid = desk.daemon()
    reason = f"cannot start orders: it runs already with pid {pid} (pidfile orders.pid)\n"
    assert desk.ends(*switches) == (1, reason)
    assert desk.pid == pid


def test_of_simultaneous_starts_one_lives(desk: Desk) -> None:
    """However they race."""
    desk.write()
    starts = [
        subprocess.Popen(
            [TABLE_DISPATCHER, "-d", "conf.d/orders.ini"],
            cwd=desk.directory,
            env=desk.fleet.environment(),
            stderr=subprocess.DEVNULL,
        )
        for _ in range(8)
    ]
    assert sorted(start.wait(20) for start in starts) == [0] + [1] * 7
    assert len(desk.fleet.processes()) == 1


@pytest.mark.parametrize("switch", ["-r", "-s", "-k", "--reload", "--stop", "--kill"])
def test_nothing_runs(desk: Desk, switch: str) -> None:
    """Exit status 0; a pid file left behind by a killed process is removed, and nobody is signalled."""
    desk.write()
    assert desk.ends(switch) == (0, "orders does not run\n")
    left = desk.directory / "orders.pid"
    left.write_text(f"{os.getpid()}\n", encoding="ascii")
    os.utime(left, (0, 0))
    assert desk.ends(switch) == (0, "orders does not run\n")
    assert desk.pid is None


def test_a_faulty_file_can_be_stopped(desk: Desk) -> None:
    """Signals need only its pid file; the pid file's directory is created."""
    desk.write(pidfile="pid/orders.pid")
    assert desk.ends("-d") == (0, "")
    (pid,) = desk.fleet.processes()
    desk.write(pidfile="pid/orders.pid", stepp=1)
    assert desk.ends("-s") == (0, "")
    wait_until(lambda: not alive(pid), "it ends")


def test_k_ends_it_at_once(desk: Desk) -> None:
    """Even in the middle of a call that never ends; its pid file is removed too."""
    desk.write(behave="long_call", line="x")
    pid = desk.daemon()
    assert desk.ends("-k") == (0, "")
    wait_until(lambda: not alive(pid), "it ends", 2)
    assert desk.pid is None


def test_after_kill_9_the_next_one_starts(desk: Desk) -> None:
    """The pid file that is left behind is no lock."""
    desk.write()
    first = desk.daemon()
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: not alive(first), "it is dead")
    assert desk.daemon() != first


def test_reload_takes_every_key(desk: Desk) -> None:
    """Even those of log and pid file; removed keys get their defaults, --set stays."""
    desk.write(behave="write", line="before", times=2, logfmt_file="%(message)s!")
    assert desk.ends("-d", "--set", "step=7") == (0, "")
    pid = desk.pid
    wait_until(lambda: "before 0!" in desk.log and "before 1!" in desk.log, "it works")
    desk.write(behave="write", line="after", logfile="other.log", pidfile="other.pid")
    os.kill(pid or 0, signal.SIGHUP)
    other = desk.directory / "other.log"
    wait_until(
        lambda: other.exists() and "INFO after 0" in other.read_text(encoding="utf-8"), "it is reloaded"
    )
    text = other.read_text(encoding="utf-8")
    assert "INFO Config reloaded\n" in text
    assert text.count("INFO after") == 1
    assert desk.pid is None
    assert int((desk.directory / "other.pid").read_text(encoding="ascii")) == pid


def test_reload_of_a_broken_file_changes_nothing(desk: Desk) -> None:
    """Each fault is a line of the log, and the process goes on."""
    desk.write(behave="write", line="hello")
    pid = desk.daemon()
    desk.write(stepp=1, behav="x")
    assert os.getpid() != pid
    os.kill(pid, signal.SIGHUP)
    wait_until(lambda: desk.log.count("Config not reloaded") == 2, "it is refused")
    assert "[sleeper] stepp: unknown key, did you mean step?" in desk.log
    desk.write(behave="write", line="mended")
    assert desk.ends("-r") == (0, "")
    wait_until(lambda: "Config reloaded" in desk.log and "mended" in desk.log, "it is reloaded")
    assert desk.pid == pid
    assert desk.log.count("hello") == 1


def test_reload_to_a_pid_file_that_is_taken_changes_nothing(desk: Desk) -> None:
    """The process goes on with its own pid file and log, and says why."""
    desk.write(behave="write", line="hello")
    pid = desk.daemon()
    with (desk.directory / "taken.pid").open("w", encoding="ascii") as taken:
        fcntl.flock(taken, fcntl.LOCK_EX)
        desk.write(behave="write", line="other", pidfile="taken.pid", logfile="other.log")
        os.kill(pid, signal.SIGHUP)
        wait_until(lambda: "Config not reloaded: cannot start orders: it runs already" in desk.log, "refused")
        assert desk.pid == pid
        assert not (desk.directory / "other.log").exists()
    os.kill(pid, signal.SIGHUP)
    wait_until((desk.directory / "other.log").exists, "it is reloaded")
    wait_until(lambda: desk.pid is None, "the old pid file is gone")


def test_set_overrides(desk: Desk) -> None:
    """It can be repeated; a wrong key is reported as in a file."""
    desk.write(behave="setup")
    assert desk.ends("--set", "behave=done", "--set", "step = 5", "--set", "logfile=") == (0, "")
    code, said = desk.ends("--set", "stepp=5")
    assert (code, said) == (
        1,
        "cannot load conf.d/orders.ini: --set stepp: unknown key, did you mean step?\n",
    )


@pytest.mark.parametrize("switches", [("--nix",), ("-r", "-s"), ("--set", "x")])
def test_a_bad_option_is_2(desk: Desk, switches: tuple[str, ...]) -> None:
    """As with the original."""
    desk.write()
    assert desk.run(*switches).returncode == 2


def test_version_help_and_a_missing_file(desk: Desk) -> None:
    """They say what people need to know."""
    code, said = desk.ends("-V")
    assert (code, said.startswith("table_dispatcher (tdsup ")) == (0, True)
    code, said = desk.ends("-h")
    assert code == 0
    for switch in "-h -q -v -d -V --ini --set -r -s -k --register --unregister --rewind --reset".split():
        assert switch in said
    done = subprocess.run([TABLE_DISPATCHER], capture_output=True, text=True, check=False)
    assert (done.returncode, "the config.ini is missing" in done.stderr) == (2, True)


def test_levels_and_formats_of_the_console(desk: Desk) -> None:
    """-q leaves warnings and errors, -v brings tracebacks and the verbose formats."""
    desk.write(behave="crash", logfmt_console="c %(levelname)s %(message)s", unused=1)
    line = "cannot run orders: RuntimeError: on purpose"
    warning = "c WARNING conf.d/orders.ini: [sleeper] unused: has no effect: it sleeps\n"
    assert desk.ends() == (1, f"{warning}c ERROR {line}\n")
    desk.write()
    with subprocess.Popen(
        [TABLE_DISPATCHER, "-q", "conf.d/orders.ini"],
        cwd=desk.directory,
        env=desk.fleet.environment(),
        stderr=subprocess.PIPE,
        text=True,
    ) as quiet:
        wait_until(lambda: desk.pid, "it runs")
        desk.run("-s")
        assert quiet.communicate(timeout=20)[1] == ""
    desk.write(
        behave="crash",
        logfmt_console="c %(message)s",
        logfmt_console_verbose="cv %(levelname)s %(message)s",
        logfmt_file_verbose="fv %(levelname)s %(asctime)s %(message)s",
        logdatefmt_file_verbose="at %H",
    )
    code, said = desk.ends("-v")
    assert code == 1
    assert said.startswith(f"cv ERROR {line}\ncv DEBUG cannot run orders\nTraceback")
    assert f"fv ERROR at {desk.log.partition('ERROR at ')[2][:2]} {line}\n" in desk.log


def test_actions_have_switches(desk: Desk) -> None:
    """Those that the job type has; an error is one line."""
    desk.write()
    assert desk.ends("--register") == (0, "register orders\n")
    reason = "cannot reset orders: jobs of type sleeper have no such action\n"
    assert desk.ends("--reset") == (1, reason)


def test_the_sample_can_be_loaded(desk: Desk) -> None:
    """It has every key that the documentation has, each with what it means."""
    sample = subprocess.run([TABLE_DISPATCHER, "--ini"], capture_output=True, text=True, check=True).stdout
    (desk.directory / "conf.d" / "orders.ini").write_text(sample, encoding="utf-8")
    checked = desk.fleet.run("check")
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "1 of 1 jobs can run\n", "")
    uncommented = sample.replace("\n#", "\n")
    for key in (
        "src_db",
        "part_template",
        "bad_event_limit",
        "pidfile",
        "logfmt_console_verbose",
        "exception_sleep",
    ):
        assert f"\n{key} =" in uncommented or f"\n {key}: " in uncommented
