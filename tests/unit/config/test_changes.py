"""What a reload of the fleet has to do."""

from __future__ import annotations

from typing import Any, cast

import pytest
from tdsup.supervisor.config.changes import Present, compare
from tdsup.supervisor.config.jobconfig import BrokenConfig, JobConfig
from tdsup.supervisor.config.jobsettings import JobSettings
from tdsup.supervisor.errors import ConfigError


def sound(name: str, digest: str = "1", path: str = "", section: str = "sleeper") -> JobConfig:
    """A sound job, of a file of its own unless it is told."""
    nothing = cast("Any", None)
    return JobConfig(path or f"{name}.ini", section, digest, JobSettings(job_name=name), nothing)


def test_a_job_that_is_being_removed_starts_again_with_its_file() -> None:
    """A file that comes back while the old process ends is a change, not an addition beside it."""
    changes = compare([Present("a", None)], [sound("a")])
    assert list(changes.changed) == ["a"]
    assert not changes.added


def broken(name: str, path: str = "", section: str = "sleeper") -> BrokenConfig:
    """A broken job."""
    return BrokenConfig(path or f"{name}.ini", section, name, ConfigError(f"{name} is broken"))


CASES: dict[
    str, tuple[list[JobConfig | BrokenConfig], list[JobConfig | BrokenConfig], dict[str, list[str]]]
] = {
    "nothing": ([sound("a")], [sound("a")], {"unchanged": ["a"]}),
    "a new file": ([], [sound("a")], {"added": ["a"]}),
    "a vanished file": ([sound("a")], [], {"removed": ["a"]}),
    "another content": ([sound("a")], [sound("a", "2")], {"changed": ["a"]}),
    "a moved file": ([sound("a")], [sound("a", path="b.ini")], {"changed": ["a"]}),
    "another name": ([sound("a")], [sound("b", path="a.ini")], {"removed": ["a"], "added": ["b"]}),
    "now broken": ([sound("a")], [broken("a")], {"broken": ["a"]}),
    "now broken, of another name": ([sound("x", path="a.ini")], [broken("a")], {"broken": ["x"]}),
    "new and broken": ([], [broken("a")], {"broken": ["a"]}),
    "still broken": ([broken("a")], [broken("a")], {"broken": ["a"]}),
    "mended": ([broken("a")], [sound("a", "0")], {"changed": ["a"]}),
    "mended under another name": (
        [broken("a")],
        [sound("b", path="a.ini")],
        {"removed": ["a"], "added": ["b"]},
    ),
    "another job type": ([sound("a")], [sound("a", section="napper")], {"changed": ["a"]}),
    "another job type, broken": ([sound("a")], [broken("a", section="napper")], {"broken": ["a"]}),
    "a section changed": (
        [sound("a", path="x.ini"), sound("b", path="x.ini", section="napper")],
        [sound("a", path="x.ini"), sound("b", "2", "x.ini", "napper")],
        {"unchanged": ["a"], "changed": ["b"]},
    ),
    "a section removed": (
        [sound("a", path="x.ini"), sound("b", path="x.ini", section="napper")],
        [sound("a", path="x.ini")],
        {"unchanged": ["a"], "removed": ["b"]},
    ),
    "a section broken, the other one changed": (
        [sound("a", path="x.ini"), sound("b", path="x.ini", section="napper")],
        [sound("a", "2", path="x.ini"), broken("x", "x.ini", "napper")],
        {"changed": ["a"], "broken": ["b"]},
    ),
    "broken as a whole": (
        [sound("a", path="x.ini"), sound("b", path="x.ini", section="napper"), sound("c")],
        [broken("x", "x.ini", ""), sound("c")],
        {"broken": ["a", "b"], "unchanged": ["c"]},
    ),
    "mended, with several jobs": (
        [broken("x", "x.ini", "")],
        [sound("a", path="x.ini"), broken("b", "x.ini", "napper")],
        {"removed": ["x"], "added": ["a"], "broken": ["b"]},
    ),
    "a broken one by the name of a job that is broken elsewhere": (
        [sound("b", path="a.ini")],
        [broken("a"), broken("b")],
        {"broken": ["b", "b.ini"]},
    ),
    "moved, a broken one in its place": (
        [sound("a")],
        [sound("a", path="b.ini"), broken("a")],
        {"changed": ["a"], "broken": ["a.ini"]},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_changes(name: str) -> None:
    """Jobs are compared by name and content; a broken file leaves alone what runs from it."""
    present, found, expected = CASES[name]
    changes = compare([Present(file.name, file) for file in present], found)
    told = changes.describe()
    told["broken"] = [each["job"] for each in told["broken"]]
    assert {outcome: names for outcome, names in told.items() if names} == expected
