"""Files of conf.d that hold several jobs, a section each."""

from __future__ import annotations

import pytest
from harness.programs.jobfiles import write
from tdsup.supervisor.config.confd import scan
from tdsup.supervisor.config.jobconfig import BrokenConfig, JobConfig
from tdsup.supervisor.config.jobfile import jobs_of, pidfile_of
from tdsup.supervisor.errors import ConfigError

pytestmark = pytest.mark.usefixtures("fleet_directory")

TWO_JOBS = """\
[DEFAULT]
log_count = 1
tick = 2
[sleeper]
step = 5
pidfile = pid/%(job_name)s
[napper]
nap = 3
"""


def two_jobs(*changes: tuple[str, str]) -> dict[str, JobConfig | BrokenConfig]:
    """The jobs of the text above, by name, after these replacements."""
    text = TWO_JOBS
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return {job.name: job for job in jobs_of(write("orders", text))}


def sound(job: JobConfig | BrokenConfig) -> JobConfig:
    """The job, which is sound."""
    assert isinstance(job, JobConfig), job
    return job


def broken(job: JobConfig | BrokenConfig) -> BrokenConfig:
    """The job, which is broken."""
    assert isinstance(job, BrokenConfig), job
    return job


def test_several_jobs_of_a_file_are_called_by_their_headers() -> None:
    """Each has its section and the defaults; `job_name` renames one and leaves the other."""
    jobs = two_jobs()
    assert list(jobs) == ["sleeper", "napper"]
    first, second = map(sound, jobs.values())
    assert (first.section, first.host.log_count, first.host.pidfile) == ("sleeper", 1, "pid/sleeper")
    assert (second.section, second.host.log_count, second.host.pidfile) == ("napper", 1, "")
    assert str(second.log_path) == "log/napper.log"
    assert (getattr(first.settings, "tick"), getattr(second.settings, "nap")) == (2, 3)  # noqa: B009
    assert first.warnings == second.warnings == ()
    assert list(two_jobs(("step = 5", "job_name = x"))) == ["x", "napper"]


DIGESTS = {
    "nothing": ([], []),
    "a comment": ([("[sleeper]", "# why\n[sleeper]")], []),
    "a key": ([("step = 5", "step = 6")], ["sleeper"]),
    "a key of the other": ([("nap = 3", "nap = 4")], ["napper"]),
    "a default of both": ([("log_count = 1", "log_count = 2")], ["sleeper", "napper"]),
    "a default that one of them reads": ([("tick = 2", "tick = 3")], ["sleeper"]),
    "a default that changes nothing": ([("step = 5\n", ""), ("tick = 2", "tick = 2\nstep = 5")], []),
}


@pytest.mark.parametrize("name", DIGESTS)
def test_a_job_changes_with_what_it_reads(name: str) -> None:
    """With its section and the defaults that it inherits, not with the file as such."""
    changes, expected = DIGESTS[name]
    before, after = two_jobs(), two_jobs(*changes)
    assert [each for each in before if sound(before[each]).digest != sound(after[each]).digest] == expected


def test_one_broken_section_stops_no_other() -> None:
    """It is called as it would be if it were sound."""
    jobs = two_jobs(("nap = 3", "nap = 0\nfoo = 1"))
    assert sound(jobs["sleeper"]).digest == sound(two_jobs()["sleeper"]).digest
    assert broken(jobs["napper"]).error.lines[0] == "cannot load conf.d/orders.ini: [napper] foo: unknown key"
    jobs = two_jobs(("nap = 3", "nap = 0\njob_name = x"))
    assert (list(jobs), broken(jobs["x"]).section) == (["sleeper", "x"], "napper")


@pytest.mark.parametrize(
    ("new", "line"),
    [
        ("[nupper]", "[nupper] no job type is called nupper, did you mean napper? (installed: "),
        ("nonsense", "line 7: neither a section header nor key = value"),
    ],
)
def test_a_file_that_is_broken_as_a_whole_is_one_broken_job(new: str, line: str) -> None:
    """A header that is no job type may add a job or rename one: what the file means is not known."""
    ((name, job),) = two_jobs(("[napper]", new)).items()
    assert (name, broken(job).section) == ("orders", "")
    assert broken(job).error.lines[0].startswith(f"cannot load conf.d/orders.ini: {line}")


def test_two_jobs_of_a_file_cannot_have_one_name() -> None:
    """The later one is broken, and called by its header."""
    first, second = jobs_of(write("orders", "[sleeper]\njob_name = x\n[napper]\njob_name = x\n"))
    assert sound(first).name == "x"
    assert broken(second).error.lines[0].endswith("x is the name of the job in conf.d/orders.ini already")
    names = [job.name for job in scan(["conf.d/*.ini"])]
    assert names == ["x", "napper"]


def test_a_pid_file_is_found_though_the_rest_is_broken() -> None:
    """In a file with one job; with two, nobody can know which is meant."""
    path = write("orders", "[sleeper]\nfoo = 1\npidfile = pid/%(job_name)s\n")
    assert pidfile_of(path, {}) == ("orders", "pid/orders")
    with pytest.raises(ConfigError, match="it has 2 jobs"):
        pidfile_of(write("orders", TWO_JOBS), {})
