"""What a reload has to do: the jobs that are there compared with those that the files describe."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .jobconfig import BrokenConfig, JobConfig


@dataclass(frozen=True)
class Present:
    """A job of the fleet.

    Attributes:
        name: the job's name.
        file: what it runs, or what keeps it from running; None while it is being removed.
    """

    name: str
    file: JobConfig | BrokenConfig | None


@dataclass
class Changes:
    """What to do; every job is in one of these, by name.

    Attributes:
        added: jobs to make.
        changed: jobs to end, if they run, and to start with the new file.
        removed: jobs to stop and forget.
        unchanged: jobs to leave alone.
        broken: jobs that cannot run; one that runs from an earlier state of its file is left alone.
    """

    added: dict[str, JobConfig] = field(default_factory=dict)
    changed: dict[str, JobConfig] = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    broken: dict[str, BrokenConfig] = field(default_factory=dict)

    def reject(self, name: str, file: BrokenConfig) -> None:
        """Count a job as broken after all, for what its file says beside others."""
        self.added.pop(name, None)
        self.changed.pop(name, None)
        self.unchanged = [each for each in self.unchanged if each != name]
        self.broken[name] = file

    def warnings(self) -> list[str]:
        """What a person should know about the files that jobs will run from now on, one line each."""
        return [line for file in (*self.added.values(), *self.changed.values()) for line in file.warnings]

    def describe(self) -> dict[str, Any]:
        """The same as JSON."""
        return {
            "added": sorted(self.added),
            "changed": sorted(self.changed),
            "removed": sorted(self.removed),
            "unchanged": sorted(self.unchanged),
            "broken": [{"job": name, "error": str(file.error)} for name, file in sorted(self.broken.items())],
        }


def compare(present: Iterable[Present], found: Iterable[JobConfig | BrokenConfig]) -> Changes:
    """Compare the jobs that are there with those that the files describe now.

    Sound jobs are compared by name and content; one that is only moved to another file counts as changed.
    What is broken takes nothing away: a job that runs is removed only by files that are sound.

    Args:
        present: jobs of different names.
        found: all jobs of some files, of different names.
    """
    changes = Changes()
    jobs = {job.name: job.file for job in present}
    broken = []
    for job in found:
        if isinstance(job, BrokenConfig):
            broken.append(job)
        elif job.name not in jobs:
            changes.added[job.name] = job
        elif _same(jobs.pop(job.name), job):
            changes.unchanged.append(job.name)
        else:
            changes.changed[job.name] = job
    changes.broken = _owned(jobs, broken)
    changes.removed = [name for name in jobs if name not in changes.broken]
    sound = changes.added.keys() | changes.changed.keys() | set(changes.unchanged)
    for job in broken:
        if job not in changes.broken.values():
            changes.broken[job.free_name(sound | changes.broken.keys())] = job
    return changes


def _same(old: JobConfig | BrokenConfig | None, new: JobConfig) -> bool:
    return isinstance(old, JobConfig) and (
        (old.path, old.section, old.entry, old.digest) == (new.path, new.section, new.entry, new.digest)
    )


def _has_place(new: BrokenConfig, old: JobConfig | BrokenConfig) -> bool:
    """Whether a job is where another one is, of the same file; a file that is broken as a whole has all."""
    return not new.section or (new.section, new.entry) == (old.section, old.entry)


def _owned(
    jobs: Mapping[str, JobConfig | BrokenConfig | None], broken: Sequence[BrokenConfig]
) -> dict[str, BrokenConfig]:
    """The jobs that are broken now, by name: those from a broken section or file, then those of its name."""
    owned: dict[str, BrokenConfig] = {}
    for new in broken:
        for name, old in jobs.items():
            if old is not None and new.path == old.path and _has_place(new, old):
                owned[name] = new
    for new in broken:
        if new.name in jobs and new not in owned.values():
            owned.setdefault(new.name, new)
    return owned
