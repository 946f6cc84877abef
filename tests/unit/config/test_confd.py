"""What only shows between the files of a fleet."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness.paths import JOBTYPES
from tdsup.supervisor.config.confd import clashes, scan

DISPATCHER = """\
[table_dispatcher]
src_db = host=shop dbname=shop password=hunter2
dst_db = host=archive dbname=archive
pgq_queue_name = orders
dest_table = orders
"""


@pytest.fixture(autouse=True)
def _directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty directory, and the fake job types."""
    monkeypatch.syspath_prepend(str(JOBTYPES))
    monkeypatch.chdir(tmp_path)


def found(**files: str) -> list[str]:
    """Clashes between these files."""
    for name, text in files.items():
        Path(f"{name}.ini").write_text(text, encoding="utf-8")
    return clashes(scan(["*.ini"]))


def test_jobs_that_share_nothing_are_fine() -> None:
    """Two jobs may read one queue, each with a consumer of its own."""
    assert found(a=DISPATCHER, b=DISPATCHER, c="[sleeper]\n") == []


def test_a_log_and_a_pid_file_belong_to_one_job(tmp_path: Path) -> None:
    """However they are spelled."""
    log, pid = found(
        a="[sleeper]\nlogfile = x.log\npidfile = x.pid\n",
        b=f"[sleeper]\nlogfile = {tmp_path}/x.log\npidfile = {tmp_path}/x.pid\n",
    )
    place = "cannot share between jobs: b.ini: [sleeper]"
    assert log == f"{place} logfile: the log {tmp_path}/x.log belongs to a (a.ini) already"
    assert pid == f"{place} pidfile: the pid file {tmp_path}/x.pid belongs to a (a.ini) already"


def test_two_jobs_of_a_file_do_not_share_by_accident(tmp_path: Path) -> None:
    """What they inherit from the same defaults is told, unless it is built from their names."""
    jobs = "[sleeper]\n[napper]\n"
    (pid,) = found(a=f"[DEFAULT]\npidfile = x.pid\nlogfile = %(job_name)s.log\n{jobs}")
    assert pid == (
        f"cannot share between jobs: a.ini: [napper] pidfile: the pid file {tmp_path}/x.pid "
        "belongs to sleeper (a.ini) already"
    )


def test_a_consumer_belongs_to_one_job() -> None:
    """On its queue and in its target; the line shows no password."""
    queue, position = found(a=DISPATCHER + "pgq_consumer_id = one\n", b=DISPATCHER + "consumer_name = one\n")
    place = "cannot share between jobs: b.ini: [table_dispatcher]"
    consumer = "consumer one of queue orders in database"
    assert queue == f"{place} src_db: {consumer} shop at shop belongs to a (a.ini) already"
    assert position == (
        f"{place} dst_db: the position of {consumer} archive at archive belongs to a (a.ini) already"
    )
