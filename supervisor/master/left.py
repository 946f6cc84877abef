"""What jobs leave behind when their files go away."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from ..config import Changes, JobConfig
from ..jobs import Job

_log = logging.getLogger("tdsup")


class Left:
    """What nobody reads any more, of jobs that have had a process; until a job has it again."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def after(self, changes: Changes, jobs: Iterable[Job]) -> dict[str, str]:
        """What is left after these changes: by what it is, the name of the job that has left it.

        Args:
            changes: what will be done.
            jobs: the jobs that are there now.
        """
        names = dict(self._names)
        there = [*changes.added.values(), *changes.changed.values()]
        for job in jobs:
            if job.name not in changes.changed and job.name not in changes.removed:
                there += [job.wanted_file] if isinstance(job.wanted_file, JobConfig) else []
            elif job.ran is not None and (what := _leaving(job.ran)):
                names[what] = job.name
        for file in there:
            names.pop(_leaving(file), None)
        return names

    def keep(self, names: dict[str, str]) -> None:
        """Remember this, and log what is new."""
        new = {what: name for what, name in names.items() if what not in self._names}
        self._names = names
        for line in lines(new):
            _log.warning("left: %s", line)

    def forget(self, name: str) -> None:
        """Nothing of the job of that name is left any more."""
        self._names = {what: each for what, each in self._names.items() if each != name}

    def lines(self) -> list[str]:
        """What is left and what to do, one line each."""
        return lines(self._names)


def lines(names: dict[str, str]) -> list[str]:
    """What is left and what to do, one line each; `names` as `Left.after` gives them."""
    return [
        f"{what}; or put the file of {name} back and run tdsup retire {name}" for what, name in names.items()
    ]


def _leaving(file: JobConfig) -> str:
    return file.job_type.leaving(file.settings)
