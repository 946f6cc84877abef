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


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Fleet]:
    """A fleet of one job."""
    with fleet(tmp_path) as made:
        made.write_job("orders")
        yield made


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


@pytest.mark.parametrize(
    ("name", "mode", "line"),
    [
        (
            "conf.d/orders.ini",
            0o646,
            "others may write it (mode 0646), and run anything as this fleet; chmod",
        ),
        ("conf.d/orders.ini", 0o644, "others may read it (mode 0644), and it holds a password; chmod o-r it"),
        ("conf.d", 0o757, "others may write it (mode 0757), and run anything as this fleet; chmod go-w it"),
        (
            "tdsup.yaml",
            0o602,
            "others may write it (mode 0602), and run anything as this fleet; chmod go-w it",
        ),
        ("key", 0o604, "others may read it (mode 0604), and it is a private key; chmod o-r it"),
    ],
)
def test_check_warns_of_open_files(here: Fleet, name: str, mode: int, line: str) -> None:
    """Of each that others may write or, if it holds a secret, read; no secret is shown."""
    (here.directory / "key").touch(0o600)
    here.write_settings(web_cert="cert", web_key="key")
    here.write_job("orders", src_db=f"password={NEEDLE}").chmod(0o600)
    assert here.said("check") == (0, "1 of 1 jobs can run\n", "")
    (here.directory / name).chmod(mode)
    code, _said, complaint = here.said("check")
    assert (code, NEEDLE in complaint) == (0, False)
    assert complaint.startswith(f"{name}: {line}")
    assert complaint.count("\n") == 1 + (mode == 0o646)
