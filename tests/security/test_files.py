"""Whoever writes one file, or has an account beside the fleet's, gets no further than that."""

from __future__ import annotations

import fcntl
import os
import resource
import shutil
import signal
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from harness.paths import TABLE_DISPATCHER
from harness.programs.desk import Desk
from harness.programs.fleet import Fleet, fleet
from harness.waiting import wait_until

NEEDLE = "hunter2"

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
args = {args}
formatter = sky
[formatter_sky]
class = {formatter}
format = %(message)s
"""

CODE = {
    "a call": {"args": "(open('stolen', 'w'),)"},
    "a name's method": {"args": "('x', __import__('os').mkdir('stolen'))"},
    "an element": {"args": "[e for e in [__import__('os').mkdir('stolen')]]"},
    "an f-string": {"args": '(f\'{__import__("os").mkdir("stolen")}\',)'},
    "a lambda": {"args": "((lambda: 1)(),)"},
    "an attribute": {"args": "(sys.modules,)"},
    "another class": {"kind": "os.mkdir", "args": "('stolen',)"},
    "another package's handler": {"kind": "pkg.Handler"},
    "no handler": {"kind": "handlers.socket"},
    "a formatter of its own": {"formatter": "pkg.Formatter"},
}


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Fleet]:
    """A fleet of one job."""
    with fleet(tmp_path) as made:
        made.write_job("orders")
        yield made


def skylog(desk: Desk, **changes: str) -> Path:
    """Write a skylog.ini, and a job that uses it."""
    words = {"kind": "FileHandler", "args": "('orders.sky',)", "formatter": "logging.Formatter"} | changes
    path = desk.directory / "skylog.ini"
    path.write_text(SKYLOG.format(**words), encoding="utf-8")
    path.chmod(0o644)
    desk.write(behave="setup", use_skylog=2)
    return path


@pytest.mark.parametrize("case", CODE)
def test_a_skylog_file_holds_no_code(desk: Desk, case: str) -> None:
    """Its classes are handlers of logging, their arguments literals; anything else is refused."""
    skylog(desk, **CODE[case])
    code, said = desk.ends()
    assert code == 1
    assert "cannot configure logging by skylog.ini: [" in said
    assert not (desk.directory / "stolen").exists()


@pytest.mark.parametrize(
    ("kind", "args"),
    [
        ("FileHandler", "('orders.sky', 'a')"),
        ("logging.StreamHandler", "(sys.stderr,)"),
        ("handlers.RotatingFileHandler", "('orders.sky', 'a', 1000, -1 + 0)"),
        ("logging.handlers.SysLogHandler", "(('127.0.0.1', 9), handlers.SysLogHandler.LOG_LOCAL0)"),
    ],
)
def test_what_stock_files_say_is_taken(desk: Desk, kind: str, args: str) -> None:
    """Strings, numbers and the names of constants."""
    skylog(desk, kind=kind, args=args.replace(" + 0", ""))
    assert "cannot configure" not in desk.ends()[1]


@pytest.mark.parametrize("text", [f"{NEEDLE}\n", f"[{NEEDLE}\nx", f"[loggers]\n{NEEDLE} {NEEDLE}\n"])
def test_an_error_shows_nothing_of_the_file(desk: Desk, text: str) -> None:
    """It may be a token, or /etc/shadow: type and line are all that is told."""
    path = skylog(desk)
    path.write_text(text, encoding="utf-8")
    code, said = desk.ends()
    assert (code, NEEDLE in said + desk.log) == (1, False)
    assert "cannot configure logging by skylog.ini: " in said
    assert "Error" in said


@pytest.mark.parametrize(
    ("mode", "owner", "reason"),
    [
        (0o664, None, "others may write it (mode 0664); chmod go-w it"),
        (0o646, None, "others may write it (mode 0646); chmod go-w it"),
        (0o644, 12345, "it belongs to neither root nor the owner of the job's file"),
    ],
)
def test_a_skylog_file_that_others_may_write(desk: Desk, mode: int, owner: int | None, reason: str) -> None:
    """It is not used, not even looked into."""
    path = skylog(desk)
    path.chmod(mode)
    if owner is not None:
        os.chown(path, owner, owner)
    assert f"cannot trust skylog.ini: {reason}" in desk.ends()[1]


def test_the_fleet_may_forbid_skylog(here: Fleet) -> None:
    """Then a job that asks for it cannot run, and the others do."""
    here.write_settings(skylog=False)
    here.write_job("sky", use_skylog=1)
    code, said, complaint = here.said("check")
    assert (code, said) == (1, "1 of 2 jobs can run\n")
    assert "[sleeper] use_skylog: tdsup.yaml allows no skylog.ini (skylog)" in complaint


@pytest.mark.parametrize("name", ["$(touch stolen)", "`touch stolen`", "a;touch stolen", "*", "a b", "-x"])
def test_completion_runs_nothing(here: Fleet, name: str) -> None:
    """Names of jobs are matched; those that a shell would do something with are not even jobs."""
    here.write_job(name)
    here.start()
    assert "job_name: must be of letters, digits and" in here.log()
    script = here.run("completion", "bash").stdout
    tdsup = shutil.which("tdsup", path=str(Path(here.program[0]).parent))
    ask = "COMPREPLY=( $(_tdsup_jobs '') ); printf '%s\\n' \"${COMPREPLY[@]}\""
    lines = f"{script}\ncd {here.directory}\n{ask}"
    environment = {**here.environment(), "PATH": f"{Path(str(tdsup)).parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-c", lines], env=environment, capture_output=True, text=True, check=True, timeout=30
    )
    assert set(done.stdout.split()) <= {"orders", "a"}
    assert "orders" in done.stdout
    assert not (here.directory / "stolen").exists()


@pytest.mark.parametrize("key", ["pidfile", "logfile"])
def test_a_link_is_not_followed(desk: Desk, key: str) -> None:
    """Whoever makes it would choose what is written."""
    victim = desk.directory / "victim"
    victim.write_text("1234\n", encoding="utf-8")
    (desk.directory / "link").symlink_to(victim)
    desk.write(**{key: "link"})
    code, said = desk.ends()
    assert code == 1
    assert f"[sleeper] {key}: " in said
    assert victim.read_text(encoding="utf-8") == "1234\n"


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/stderr"])
def test_a_log_may_be_a_standard_stream(desk: Desk, name: str) -> None:
    """As containers want it."""
    desk.write(logfile=name, behave="setup")
    assert "cannot load orders" in desk.ends()[1]


@pytest.mark.parametrize("switch", ["-k", "-d", None])
def test_a_file_that_is_no_pid_file_stays(desk: Desk, switch: str | None) -> None:
    """It is neither truncated nor removed, and the error says what it is not."""
    victim = desk.directory / "precious"
    victim.write_text("12 34 and more\n", encoding="utf-8")
    desk.write(pidfile="precious")
    code, said = desk.ends(*([switch] if switch else []))
    assert code == 1
    assert "it is no pid file" in said
    assert victim.read_text(encoding="utf-8") == "12 34 and more\n"


def test_nobody_else_can_lock_a_pid_file(desk: Desk) -> None:
    """Whoever can read a file can lock it, and would keep the job from its start."""
    path = desk.directory / "orders.pid"
    path.write_text("", encoding="ascii")
    path.chmod(0o666)
    desk.write()
    desk.daemon()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with path.open("rb") as file, pytest.raises(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    assert desk.ends("-k") == (0, "")


@pytest.mark.parametrize("mask", [0o000, 0o077])
def test_folders_and_logs_are_closed_to_others(here: Fleet, mask: int) -> None:
    """Whatever the umask is."""
    before = os.umask(mask)
    try:
        here.start()
    finally:
        os.umask(before)
    modes = {name: stat.S_IMODE((here.directory / name).stat().st_mode) for name in ("run", "log")}
    assert modes == {"run": 0o750, "log": 0o750}
    for log in (here.directory / "log").iterdir():
        assert not stat.S_IMODE(log.stat().st_mode) & 0o027


STRANGE: dict[str, Callable[[Path], object]] = {
    "a fifo": os.mkfifo,
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "a folder": lambda path: path.mkdir(),
    "a large file": lambda path: path.write_text("[sleeper]\n" + "#" * (1 << 20), encoding="utf-8"),
}


@pytest.mark.parametrize("kind", STRANGE)
def test_what_is_no_job_file_is_passed_over(here: Fleet, kind: str) -> None:
    """With one warning; the master neither hangs nor fills its memory, and the other job runs."""
    STRANGE[kind](here.directory / "conf.d" / "strange.ini")
    here.start()
    wait_until(lambda: here.job("orders")["state"] == "running", "the other job runs")
    assert here.log().count("conf.d/strange.ini: it ") == 1
    assert [job["name"] for job in here.status()["jobs"]] == ["orders"]
    assert here.run("check").stdout == "1 of 1 jobs can run\n"


def test_names_with_a_dot_first_are_no_jobs(here: Fleet) -> None:
    """Editors and mounts make them."""
    here.write_job(".orders.swp")
    assert here.said("check") == (0, "1 of 1 jobs can run\n", "")


def test_links_to_job_files_are_jobs(here: Fleet) -> None:
    """Kubernetes mounts each as a link to a link."""
    real = here.directory / "..data"
    (here.directory / "conf.d" / "orders.ini").rename(here.directory / "real.ini")
    real.symlink_to(here.directory)
    (here.directory / "conf.d" / "orders.ini").symlink_to(real / "real.ini")
    assert here.said("check") == (0, "1 of 1 jobs can run\n", "")


def test_references_do_not_fill_the_memory(here: Fleet) -> None:
    """Nine levels of a hundred would be more than there is."""
    levels = "\n".join(f"x{n} = {f'%(x{n + 1})s' * 100}" for n in range(9))
    here.write_text("bomb", f"[sleeper]\nx9 = boom\n{levels}\n")
    code, said, complaint = here.said("check")
    assert (code, said) == (1, "1 of 2 jobs can run\n")
    assert "its references would make " in complaint


def test_the_list_of_processes_shows_no_setting(desk: Desk) -> None:
    """Nor does an error; a file may hold what is set."""
    desk.write()
    secret = desk.directory / "dsn"
    secret.write_text(f"password={NEEDLE}\n", encoding="utf-8")
    for setting in (f"src_db=password={NEEDLE}", "src_db=@dsn"):
        words = ["--set", setting, f"--set=line={NEEDLE}"]
        process = subprocess.Popen(
            [TABLE_DISPATCHER, *words, "conf.d/orders.ini"], cwd=desk.directory, env=desk.fleet.environment()
        )
        try:
            wait_until(lambda: desk.pid == process.pid, "the job has begun")  # noqa: B023 (at once)
            shown = Path(f"/proc/{process.pid}/cmdline").read_bytes()
            assert b"conf.d/orders.ini" in shown
            assert NEEDLE.encode() not in shown
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(20)
    assert NEEDLE not in desk.ends("--set", NEEDLE)[1]


def test_a_crash_leaves_no_core(here: Fleet) -> None:
    """Neither of the master nor of a job: it would hold the passwords."""
    here.start()
    wait_until(lambda: here.job("orders")["pid"], "the job has a process")
    for pid in (here.pid, here.job("orders")["pid"]):
        assert resource.prlimit(pid, resource.RLIMIT_CORE) == (1, 1)
