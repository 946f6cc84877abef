"""The files of a fleet: which are read, in which order, and faults that show only between them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from harness.programs.jobfiles import write
from tdsup.supervisor.config.confd import scan
from tdsup.supervisor.config.jobconfig import BrokenConfig, JobConfig
from tdsup.supervisor.errors import ConfigError

pytestmark = pytest.mark.usefixtures("fleet_directory")


# From Python 3.13 on, a**b is a glob like a*b.
IMPOSSIBLE = ["", "/", *["conf.d/a**b"] * (sys.version_info < (3, 13)), "~nobody-of-that-name/*.ini"]


@pytest.mark.parametrize("pattern", IMPOSSIBLE)
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
