"""What two jobs cannot share: who gets it, and what is said of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tdsup.supervisor.config.changes import Changes, Present, compare
from tdsup.supervisor.config.claims import clashes, settle, shares
from tdsup.supervisor.config.confd import scan
from tdsup.supervisor.config.jobconfig import BrokenConfig, JobConfig

pytestmark = pytest.mark.usefixtures("fleet_directory")

DISPATCHER = """\
[table_dispatcher]
src_db = host=shop dbname=shop password=hunter2
dst_db = host=archive dbname=archive
pgq_queue_name = orders
dest_table = orders
"""


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
    """A file that both inherit from the defaults is a clash, unless its name is built from theirs."""
    jobs = "[sleeper]\n[napper]\n"
    (pid,) = found(a=f"[DEFAULT]\npidfile = x.pid\nlogfile = %(job_name)s.log\n{jobs}")
    assert pid == (
        f"cannot share between jobs: a.ini: [napper] pidfile: the pid file {tmp_path}/x.pid "
        "belongs to sleeper (a.ini) already"
    )


def test_jobs_that_share_what_they_should_not_are_told() -> None:
    """Unless one is disabled."""
    text = "[sleeper]\ntable = t\n"
    for name in "ab":
        Path(f"{name}.ini").write_text(text, encoding="utf-8")
    Path("c.ini").write_text(f"{text}disabled = 1\n", encoding="utf-8")
    assert shares(scan(["*.ini"])) == ["b.ini: [sleeper] table: the table t belongs to a (a.ini) too"]


def read(**queues: str) -> dict[str, JobConfig | BrokenConfig]:
    """Jobs by name, as their files say; of each, the queue that it needs for itself alone."""
    for old in Path().glob("*.ini"):
        old.unlink()
    for name, queue in queues.items():
        text = "nonsense" if queue == "?" else f"[sleeper]\nqueue = {queue.rstrip('!')}\n"
        text += "disabled = 1\n" * queue.endswith("!")
        Path(f"{name}.ini").write_text(text, encoding="utf-8")
    return {file.name: file for file in scan(["*.ini"])}


def settled(before: dict[str, str], after: dict[str, str]) -> Changes:
    """What a change of files amounts to, for jobs that had those queues."""
    present = [Present(name, file) for name, file in read(**before).items()]
    changes = compare(present, read(**after).values())
    settle(changes, present)
    return changes


Queues = dict[str, str]

CASES: dict[str, tuple[Queues, Queues, set[str]]] = {
    "the first by name gets it": ({}, {"a": "q", "b": "q", "c": "q"}, {"b", "c"}),
    "what is there keeps it": ({"b": "q"}, {"a": "q", "b": "q"}, {"a"}),
    "what is there keeps it over a change": ({"b": "q"}, {"a": "r", "b": "q"}, set()),
    "a change to what is taken": ({"a": "r", "b": "q"}, {"a": "q", "b": "q"}, {"a"}),
    "who loses keeps what it has": ({"a": "r", "b": "q"}, {"a": "q", "b": "q", "c": "r"}, {"a", "c"}),
    "who is broken keeps what it has": ({"b": "q"}, {"a": "q", "b": "?"}, {"a", "b"}),
    "who goes away frees it": ({"a": "q"}, {"b": "q"}, set()),
    "a swap": ({"a": "q", "b": "r"}, {"a": "r", "b": "q"}, set()),
    "one that is disabled has nothing": ({"a": "q"}, {"a": "q!", "b": "q"}, set()),
    "one that is enabled comes late": ({"a": "q!", "b": "q"}, {"a": "q", "b": "q"}, {"a"}),
}


@pytest.mark.parametrize("case", CASES)
def test_a_claim_has_one_job(case: str) -> None:
    """What runs goes on; of the others, the first by name."""
    before, after, broken = CASES[case]
    changes = settled(before, after)
    assert set(changes.broken) == broken
    assert set(after) - broken == {*changes.added, *changes.changed, *changes.unchanged}


def test_a_job_without_its_claim_says_who_has_it() -> None:
    """In one line for each claim."""
    error = settled({}, {"a": "q", "b": "q"}).broken["b"].error
    line = "cannot share between jobs: b.ini: [sleeper] queue: the queue q belongs to a (a.ini) already"
    assert error.lines == (line,)


def test_a_consumer_belongs_to_one_job() -> None:
    """Both on its queue and in its target; the lines show no password."""
    Path("a.ini").write_text(DISPATCHER + "pgq_consumer_id = one\n", encoding="utf-8")
    Path("b.ini").write_text(DISPATCHER + "consumer_name = one\n", encoding="utf-8")
    changes = compare([], scan(["*.ini"]))
    settle(changes, [])
    text = str(changes.broken["b"].error)
    assert "consumer one of queue orders in database shop at shop belongs to a (a.ini) already" in text
    assert "hunter2" not in text
