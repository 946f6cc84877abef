"""The files of a fleet: which are read, in which order, and faults that show only between them."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness.programs.jobfiles import write
from tdsup.supervisor.config.confd import clashes, scan
from tdsup.supervisor.config.jobconfig import BrokenConfig, JobConfig
from tdsup.supervisor.errors import ConfigError

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


def test_a_consumer_belongs_to_one_job() -> None:
    """Both on its queue and in its target; the line shows no password."""
    queue, position = found(a=DISPATCHER + "pgq_consumer_id = one\n", b=DISPATCHER + "consumer_name = one\n")
    place = "cannot share between jobs: b.ini: [table_dispatcher]"
    consumer = "consumer one of queue orders in database"
    assert queue == f"{place} src_db: {consumer} shop at shop belongs to a (a.ini) already"
    assert position == (
        f"{place} dst_db: the position of {consumer} archive at archive belongs to a (a.ini) already"
    )


@pytest.mark.parametrize("pattern", ["", "/", "conf.d/a**b", "~nobody-of-that-name/*.ini"])
def test_an_impossible_glob_is_a_fault(pattern: str) -> None:
    """In one line, like any other."""
    with pytest.raises(ConfigError, match=r"^cannot read job files '.*': not a valid pattern \(.*\)$"):
        scan([pattern])


def test_a_broken_file_keeps_no_traceback() -> None:
    """Its frames would keep every earlier broken file of a fleet alive, reload by reload."""
    write("orders", "[sleeper]\nafter = x\n")
    (broken,) = scan(["conf.d/*.ini"])
    assert isinstance(broken, BrokenConfig)
    assert (broken.error.__traceback__, broken.error.__cause__, broken.error.__context__) == (
        None,
        None,
        None,
    )


def test_a_tilde_in_a_file_s_name_is_an_ordinary_character() -> None:
    """Editors leave such files behind."""
    Path("~orders.ini").write_text("[sleeper]\n", encoding="utf-8")
    (file,) = scan(["*.ini"])
    assert isinstance(file, JobConfig)
    assert file.name == "~orders"


def test_one_broken_file_stops_no_other() -> None:
    """It is reported by its base name; files are read in the order of their names."""
    write("b", "[sleeper]\n")
    write("a", "nonsense\n")
    broken, sound = scan(["conf.d/*.ini"])
    assert isinstance(broken, BrokenConfig)
    assert isinstance(sound, JobConfig)
    assert (broken.name, sound.name) == ("a", "b")


def test_a_job_name_is_used_once() -> None:
    """The later file is broken and says which has the name; if need be, it is called by its path."""
    write("a", "[sleeper]\njob_name = b\n")
    write("b", "[sleeper]\n")
    _sound, broken = scan(["conf.d/*.ini", "conf.d/a.*"])
    assert isinstance(broken, BrokenConfig)
    assert broken.name == "conf.d/b.ini"
    reason = "b is the name of the job in conf.d/a.ini already"
    assert str(broken.error) == f"cannot load conf.d/b.ini: [sleeper] job_name: {reason}"


def test_two_broken_files_of_one_base_name_are_two_jobs() -> None:
    """No two jobs have one name."""
    Path("other").mkdir()
    Path("other/a.ini").write_text("x", encoding="utf-8")
    write("a", "x")
    names = [file.name for file in scan(["conf.d/*.ini", str(Path("other").absolute() / "*.ini")])]
    assert names == ["a", str(Path("other/a.ini").absolute())]
