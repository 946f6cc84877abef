"""Finding jobs by name in the files of the fleet, which need not run."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from pathlib import Path

from ...config import BrokenConfig, JobConfig, load_fleet, load_only_job, scan_fleet
from ...errors import UnknownJob


def find_job(name: str, verb: str) -> JobConfig:
    """The config of the job of exactly that name, or of the only job of a file, which needs no fleet.

    Raises:
        UnknownJob: no file describes it.
        ConfigError: its file is broken.
    """
    if is_file(name):
        return load_only_job(name)
    files = _all_jobs()
    for file in files:
        if file.name == name:
            if isinstance(file, BrokenConfig):
                raise file.error
            return file
    raise UnknownJob.named(name, verb, [file.name for file in files], patterns=False)


def find_jobs(names: Sequence[str], verb: str) -> list[JobConfig | BrokenConfig]:
    """The jobs of these names; a name that no job has is taken for a pattern.

    Args:
        names: the names, files of single jobs, and patterns; none means all jobs.
        verb: what to do to them, for the message.

    Raises:
        UnknownJob: a name or pattern fits no job.
    """
    chosen: dict[str, JobConfig | BrokenConfig] = {
        file.name: file for name in names if is_file(name) for file in (load_only_job(name),)
    }
    if names and all(map(is_file, names)):
        return list(chosen.values())
    jobs = {file.name: file for file in _all_jobs()}
    if not names:
        return list(jobs.values())
    for name in (name for name in names if not is_file(name)):
        fitting = [name] if name in jobs else fnmatch.filter(jobs, name)
        if not fitting:
            raise UnknownJob.named(name, verb, jobs)
        chosen.update((each, jobs[each]) for each in sorted(fitting))
    return list(chosen.values())


def is_file(name: str) -> bool:
    """Whether a name on the command line is a file's: no job's name has a slash."""
    return "/" in name or (name.endswith(".ini") and Path(name).is_file())


def _all_jobs() -> list[JobConfig | BrokenConfig]:
    return scan_fleet(load_fleet())
