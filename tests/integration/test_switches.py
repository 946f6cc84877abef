"""The switches of ``table_dispatcher``, on a fake job type, alone and on a job of a fleet."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.fleet import Fleet, alive, fleet, wait_until

PROGRAM = str(Path(sys.executable).with_name("table_dispatcher"))


class Desk:
    """A directory with a job's file, and the program to use on it."""

    def __init__(self, directory: Path) -> None:
        self.fleet = Fleet(directory)
        self.directory = directory

    def write(self, logfile: object = "orders.log", pidfile: object = "orders.pid", **keys: object) -> None:
        """Write the job's file; it has a log and a pid file."""
        self.fleet.write_job("orders", "sleeper", logfile=logfile, pidfile=pidfile, **keys)

    def run(self, *switches: str) -> subprocess.CompletedProcess[str]:
        """Run the program on the file to its end."""
        return subprocess.run(
            [PROGRAM, *switches, "conf.d/orders.ini"],
            cwd=self.directory,
            env=self.fleet.environment(),
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )

    def ends(self, *switches: str) -> tuple[int, str]:
        """Exit status of the program and what it said."""
        done = self.run(*switches)
        return done.returncode, done.stdout + done.stderr

    @property
    def log(self) -> str:
        """The job's log."""
        path = self.directory / "orders.log"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    @property
    def pid(self) -> int | None:
        """The number in the pid file."""
        with contextlib.suppress(FileNotFoundError, ValueError):
            return int((self.directory / "orders.pid").read_text(encoding="ascii"))
        return None

    def daemon(self) -> int:
        """Start a daemon; returns its pid."""
        assert self.ends("-d") == (0, "")
        assert self.pid is not None
        return self.pid


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A desk whose daemons end with the test."""
    made = Desk(tmp_path)
    yield made
    made.fleet.clean_up()


def test_a_daemon_needs_a_pid_file(desk: Desk) -> None:
    """As with the original, in its words."""
    desk.write(pidfile="")
    assert desk.ends("-d") == (1, "cannot start orders as a daemon: Daemon needs pidfile\n")


def test_d_returns_once_the_daemon_works(desk: Desk) -> None:
    """The pid file names it, a session of its own; its log has the job's lines."""
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
        ({"logfile": "none/orders.log"}, "[sleeper] logfile: the directory none does not exist"),
        ({"use_skylog": 2}, "[sleeper] skylog_locations: no file is there: skylog.ini"),
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
            [PROGRAM, "-d", "conf.d/orders.ini"],
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
    (desk.directory / "orders.pid").write_text(f"{os.getpid()}\n", encoding="ascii")
    assert desk.ends(switch) == (0, "orders does not run\n")
    assert desk.pid is None


def test_a_faulty_file_can_be_stopped(desk: Desk) -> None:
    """Signals need its pid file only; a directory that the pid file needs is made."""
    desk.write(pidfile="pid/orders.pid")
    assert desk.ends("-d") == (0, "")
    (pid,) = desk.fleet.processes()
    desk.write(pidfile="pid/orders.pid", stepp=1)
    assert desk.ends("-s") == (0, "")
    wait_until(lambda: not alive(pid), "it ends")


def test_k_ends_it_at_once(desk: Desk) -> None:
    """Also in the middle of a call that never ends; its pid file goes too."""
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
    """Also those of the log and the pid file; keys that are gone have their defaults, --set stays."""
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


def test_set_overrides(desk: Desk) -> None:
    """As often as it is given; a wrong key is told as in a file."""
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
    """They say what people look for."""
    code, said = desk.ends("-V")
    assert (code, said.startswith("table_dispatcher (tdsup ")) == (0, True)
    code, said = desk.ends("-h")
    assert code == 0
    for switch in "-h -q -v -d -V --ini --set -r -s -k --register --unregister --rewind --reset".split():
        assert switch in said
    done = subprocess.run([PROGRAM], capture_output=True, text=True, check=False)
    assert (done.returncode, "the config.ini is missing" in done.stderr) == (2, True)


def test_levels_and_formats_of_the_console(desk: Desk) -> None:
    """-q leaves warnings and errors, -v brings tracebacks and the verbose formats."""
    desk.write(behave="crash", logfmt_console="c %(levelname)s %(message)s", moot=1)
    line = "cannot run orders: RuntimeError: on purpose"
    warning = "c WARNING conf.d/orders.ini: [sleeper] moot: has no effect: it sleeps\n"
    assert desk.ends() == (1, f"{warning}c ERROR {line}\n")
    desk.write()
    with subprocess.Popen(
        [PROGRAM, "-q", "conf.d/orders.ini"],
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


SKYLOG = """
[loggers]
keys = root
[handlers]
keys = sky
[formatters]
keys = sky
[logger_root]
level = INFO
handlers = sky
[handler_sky]
class = {kind}
args = ('%(job_name)s.sky',)
formatter = sky
[formatter_sky]
format = sky %(job_name)s %(service_name)s %(message)s
"""


def test_skylog_configures_logging(desk: Desk) -> None:
    """From the first file that is there; the job's own log is kept, and no password is shown."""
    (desk.directory / "there.ini").write_text(SKYLOG.format(kind="FileHandler"), encoding="utf-8")
    desk.write(behave="setup", use_skylog=2, skylog_locations="none.ini, there.ini")
    assert desk.ends() == (1, "")
    sky = (desk.directory / "orders.sky").read_text(encoding="utf-8")
    assert sky.startswith("sky orders sleeper cannot load orders: no table")
    assert "password=********" in sky
    assert "hunter2" not in sky + desk.log
    assert "ERROR cannot load orders" in desk.log


@pytest.mark.parametrize("kind", ["skylog.UdpLogServerHandler", "skytools.skylog.SysLogHandler"])
def test_handlers_of_skytools_are_refused_by_name(desk: Desk, kind: str) -> None:
    """With what to use instead."""
    (desk.directory / "skylog.ini").write_text(SKYLOG.format(kind=kind), encoding="utf-8")
    desk.write(use_skylog=1)
    code, said = desk.ends()
    assert (code, said.count("\n")) == (1, 1)
    assert f"by skylog.ini: [handler_sky] class: {kind} belongs to skytools; use one of Python's" in said


def test_actions_have_switches(desk: Desk) -> None:
    """Those that the job type has; an error is one line."""
    desk.write()
    assert desk.ends("--register") == (0, "register orders\n")
    reason = "cannot rewind orders: jobs of type sleeper have no such action\n"
    assert desk.ends("--rewind") == (1, reason)


def test_the_sample_can_be_loaded(desk: Desk) -> None:
    """It has every key that the documentation has, each with what it means."""
    sample = subprocess.run([PROGRAM, "--ini"], capture_output=True, text=True, check=True).stdout
    (desk.directory / "conf.d" / "orders.ini").write_text(sample, encoding="utf-8")
    checked = desk.fleet.run("check")
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "1 of 1 files can run\n", "")
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


# On a job of a fleet.


@pytest.fixture
def busy(tmp_path: Path) -> Iterator[Desk]:
    """A running fleet whose one job has a pid file."""
    with fleet(tmp_path) as a_fleet:
        made = Desk(tmp_path)
        made.write(behave="write", line="hello")
        a_fleet.start()
        a_fleet.wait_for("orders", state="running")
        made.fleet = a_fleet
        yield made


def test_r_reloads_a_job_of_a_fleet(busy: Desk) -> None:
    """Its process holds the pid file; the master validates, then swaps."""
    pid = busy.fleet.job("orders")["pid"]
    assert busy.pid == pid
    busy.write(behave="write", line="again")
    assert busy.ends("-r") == (0, "")
    job = busy.fleet.wait_for("orders", state="running", pid=lambda now: now != pid)
    wait_until(lambda: "again" in busy.log, "it has the new file")
    assert busy.pid == job["pid"]
    busy.write(stepp=1)
    os.kill(job["pid"], signal.SIGHUP)
    wait_until(lambda: "stepp: unknown key" in busy.fleet.log(), "it is refused")
    assert busy.fleet.job("orders")["pid"] == job["pid"]


@pytest.mark.parametrize("switch", ["-s", "-k"])
def test_s_and_k_stop_a_job_of_a_fleet(busy: Desk, switch: str) -> None:
    """The fleet does not start it again."""
    assert busy.ends(switch) == (0, "")
    job = busy.fleet.wait_for("orders", state="stopped", pid=None)
    assert "ended" in job["reason"]
    assert busy.pid is None


def test_a_second_process_is_refused_while_a_fleet_runs_the_job(busy: Desk) -> None:
    """By the pid file."""
    code, said = busy.ends("-d")
    assert (code, f"it runs already with pid {busy.pid}" in said) == (1, True)


def test_a_fleet_waits_for_a_daemon_to_end(desk: Desk) -> None:
    """Its job says who runs, and starts once that has ended."""
    desk.write()
    pid = desk.daemon()
    desk.fleet.start()
    job = desk.fleet.wait_for("orders", state="backoff", pid=None)
    assert job["reason"] == f"cannot start orders: it runs already with pid {pid} (pidfile orders.pid)"
    desk.run("-s")
    job = desk.fleet.wait_for("orders", state="running")
    assert job["pid"] != pid


def test_check_tells_all_faults_of_all_files(desk: Desk) -> None:
    """And warnings; no fleet need run."""
    desk.write(stepp=1, behav=2)
    desk.fleet.write_job("clicks", moot=1)
    desk.fleet.write_text("nix", "nothing\n")
    checked = desk.fleet.run("check")
    assert (checked.returncode, checked.stdout) == (1, "1 of 3 files can run\n")
    for line in (
        "[sleeper] stepp: unknown key",
        "[sleeper] behav: unknown key",
        "line 1: neither",
        "moot: has no effect",
    ):
        assert line in checked.stderr
    assert desk.fleet.run("check", "conf.d/clicks.ini").returncode == 0
    assert desk.fleet.run("check", "conf.d/none.ini").returncode == 1


def test_dead_letters_reach_the_job_type(desk: Desk) -> None:
    """By the job's name, with the ids; an unknown job or action is one line."""
    desk.write()
    done = desk.fleet.run("dead-letters", "orders", "replay", "1", "2")
    assert (done.returncode, done.stdout) == (0, "replay orders 1 2\n")
    for arguments, reason in (
        (("orders", "replay", "bad"), "cannot replay orders: it is bad\n"),
        (("orders", "purge"), "cannot purge orders: jobs of type sleeper have no such action\n"),
        (("nix", "list"), "cannot list dead letters of nix: no job has that name\n"),
    ):
        done = desk.fleet.run("dead-letters", *arguments)
        assert (done.returncode, done.stderr) == (1, reason)
