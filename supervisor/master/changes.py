"""What a reload of the fleet has to do: the jobs that are there compared with the files that are there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ..config import BrokenFile, JobFile


@dataclass(frozen=True)
class Present:
    """A job that is there.

    Attributes:
        name: the job's name.
        file: what it runs, or would run if it were not broken; None while it is being removed.
    """

    name: str
    file: JobFile | BrokenFile | None


@dataclass
class Changes:
    """What is to be done; every job is in one of these, by name.

    Attributes:
        added: jobs to be made.
        changed: jobs to be ended, if they run, and started with the new file.
        removed: jobs to be stopped and forgotten.
        unchanged: jobs to be left alone.
        broken: files that cannot run; a job that runs from an earlier state of the file is left alone.
    """

    added: dict[str, JobFile] = field(default_factory=dict)
    changed: dict[str, JobFile] = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    broken: dict[str, BrokenFile] = field(default_factory=dict)

    def describe(self) -> dict[str, Any]:
        """The same as JSON."""
        return {
            "added": sorted(self.added),
            "changed": sorted(self.changed),
            "removed": sorted(self.removed),
            "unchanged": sorted(self.unchanged),
            "broken": [{"job": name, "error": str(file.error)} for name, file in sorted(self.broken.items())],
        }


def compare(present: Iterable[Present], found: Iterable[JobFile | BrokenFile]) -> Changes:
    """Compare by name and by content; a file that is only moved counts as changed."""
    changes = Changes()
    jobs = {job.name: job for job in present}
    by_path = {job.file.path: job for job in jobs.values() if job.file}
    kept = set()
    for file in found:
        if isinstance(file, BrokenFile):
            owner = by_path.get(file.path)
            name = owner.name if owner else file.name
            changes.broken[name] = file
        else:
            name = file.name
            job = jobs.get(name)
            if job is None:
                changes.added[name] = file
            elif isinstance(job.file, JobFile) and _same(job.file, file):
                changes.unchanged.append(name)
            else:
                changes.changed[name] = file
        kept.add(name)
    # A file moved to another name while its old place now holds a broken file: the sound one wins.
    for name in changes.broken.keys() & (
        changes.added.keys() | changes.changed.keys() | set(changes.unchanged)
    ):
        file = changes.broken.pop(name)
        changes.broken[file.path] = file
    changes.removed = [name for name in jobs if name not in kept]
    return changes


def _same(old: JobFile, new: JobFile) -> bool:
    return (old.path, old.digest) == (new.path, new.digest)
