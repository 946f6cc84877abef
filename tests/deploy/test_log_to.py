"""A fleet that logs to stdout or to journald, as services do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.programs.fleet import Fleet, fleet
from harness.servers.journal import Journal, journal
from harness.waiting import wait_until


def run(made: Fleet) -> None:
    """From start to end: a job that says a line, and one that crashes once and is told of."""
    made.write_job("orders", behave="write", line="hello", times=1)
    made.start()
    made.wait_for("orders", state="running")
    made.kill_worker("orders")
    made.wait_for("orders", state="running", restarts=1)
    assert made.job("orders")["log"] is None
    made.stop()
    assert not (made.directory / "log").exists()


def test_stdout_has_the_lines_of_all_processes(tmp_path: Path) -> None:
    """Each is an object with its level and, if it is of a job or about one, the job; no file is made."""
    with fleet(tmp_path, log_to="stdout", log_format="json") as made:
        run(made)
        lines = [json.loads(line) for line in made.stdout().splitlines() if line.startswith("{")]
    assert {"DEBUG", "INFO", "WARNING"} >= {line["level"] for line in lines} >= {"INFO", "WARNING"}
    about = [line["message"] for line in lines if line["job"] == "orders"]
    assert "hello 0" in about
    assert any("orders: backoff" in line and "killed by SIGKILL" in line for line in about)
    assert lines[-1]["message"] == "the fleet has stopped"
    assert lines[-1]["job"] == ""


def test_text_on_stdout_is_as_in_files(tmp_path: Path) -> None:
    """The same line, and no line on stderr."""
    with fleet(tmp_path, log_to="stdout") as made:
        run(made)
        last = made.stdout().splitlines()[-1]
        assert last.endswith(" INFO the fleet has stopped")
        # What a job prints stays apart from the log.
        assert set(made.stderr().splitlines()) == {"stderr 0"}


def test_a_daemon_cannot_log_to_stdout(tmp_path: Path) -> None:
    """It is told before it is gone; `logs` says where the lines are."""
    with fleet(tmp_path, log_to="stdout") as made:
        code, _out, said = made.said("start", "-d")
        assert (code, said) == (
            1,
            "cannot start the fleet: log_to says stdout, which a daemon has not; leave out -d\n",
        )
        assert made.said("logs") == (
            1,
            "",
            "cannot show the log: everything is logged to stdout (log_to in tdsup.yaml)\n",
        )


@pytest.fixture(scope="module")
def a_journal() -> Iterator[Journal]:
    """A journald for all tests."""
    with journal() as made:
        yield made


def test_journald_has_job_and_level_as_fields(tmp_path: Path, a_journal: Journal) -> None:
    """Lines of a job and of the master about it are found by ``TDSUP_JOB``, and by their priority."""
    with fleet(tmp_path, log_to="journald") as made:
        made.program = [*a_journal.within, *made.program]
        run(made)
        assert made.said("logs", "orders")[2] == (
            "cannot show the log of orders: everything is logged to journald (log_to in tdsup.yaml); "
            "look with journalctl TDSUP_JOB=orders\n"
        )
    found = wait_until(lambda: a_journal.entries("TDSUP_JOB=orders"), "entries arrive")
    assert {entry["SYSLOG_IDENTIFIER"] for entry in found} == {"tdsup"}
    warned = [entry["MESSAGE"] for entry in found if entry["PRIORITY"] == "4"]
    assert any("killed by SIGKILL" in message for message in warned)
    assert any(entry["MESSAGE"] == "the fleet has stopped" for entry in a_journal.entries("-t", "tdsup"))


def test_no_journald_is_told(tmp_path: Path) -> None:
    """The fleet does not start, and says which socket is missing."""
    with fleet(tmp_path, log_to="journald") as made:
        without_run = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /run && exec "$@"', "sh"]
        made.program = [*without_run, *made.program]
        code, _out, said = made.said("start")
        assert (code, said) == (
            1,
            "cannot start the fleet: /run/systemd/journal/socket: No such file or directory\n",
        )


def test_entries_of_any_size_and_text_arrive(a_journal: Journal) -> None:
    """A text cannot make up a field, and one too long for a datagram arrives whole."""
    script = (
        "import logging; from tdsup.supervisor import logs;"
        "from tdsup.supervisor.lineformat import Names, LineFormat;"
        "logs.add_stream(logs.Stream('journald', LineFormat()), Names('long'));"
        "logging.getLogger('x').error('a\\nPRIORITY=0\\n%s', 'x' * 1000000)"
    )
    a_journal.run_python(script)
    (entry,) = wait_until(lambda: a_journal.entries("TDSUP_JOB=long"), "the entry arrives")
    assert entry["PRIORITY"] == "3"
    assert entry["MESSAGE"] == "a\\nPRIORITY=0\\n" + "x" * 1000000
