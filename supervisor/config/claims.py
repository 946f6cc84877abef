"""What jobs need for themselves alone, and who gets it; what they should rather not share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from ..errors import ConfigError
from .changes import Changes, Present
from .jobconfig import BrokenConfig, JobConfig

Claims = list[tuple[str, str]]
"""What is claimed, in words, each with the key that says so."""


def settle(changes: Changes, present: Iterable[Present]) -> None:
    """Let each claim of a job type have one job: of the others, those that lose one are broken.

    What is there keeps what it has; among others the first by name gets it. A job that is broken from now on
    but runs goes on, and keeps what it has too.

    Args:
        changes: what the files ask for.
        present: the jobs that are there.
    """
    there = {job.name: job.file for job in present if isinstance(job.file, JobConfig)}
    wanted = {**changes.added, **changes.changed}
    wanted |= {name: there[name] for name in changes.unchanged if name in there}
    # Whoever loses keeps what it has, which another one may have got in that round.
    while lost := _losers(wanted, there, {name: there[name] for name in changes.broken if name in there}):
        for name, error in lost.items():
            file = wanted.pop(name)
            changes.reject(name, BrokenConfig(file.path, file.section, name, error, entry=file.entry))


def _losers(
    wanted: Mapping[str, JobConfig], there: Mapping[str, JobConfig], going_on: Mapping[str, JobConfig]
) -> dict[str, ConfigError]:
    """The jobs, of those that are wanted, whose claims others have, and what to say of it."""
    owners = {claim: file for file in going_on.values() for _key, claim in _claims(file)}
    files = sorted(wanted.items())
    for name, file in files:
        kept = {claim for _key, claim in _claims(there[name])} if name in there else set()
        for _key, claim in _claims(file):
            if claim in kept:
                owners.setdefault(claim, file)
    lost = {}
    for name, file in files:
        claims = _claims(file)
        if lines := list(_lines(file, claims, owners)):
            lost[name] = ConfigError(*lines)
        else:
            owners.update((claim, file) for _key, claim in claims)
    return lost


def clashes(files: Iterable[JobConfig | BrokenConfig]) -> list[str]:
    """Logs and pid files that two jobs share, though they run; one line each."""
    owners: dict[str, JobConfig] = {}
    lines: list[str] = []
    for file in files:
        if isinstance(file, JobConfig):
            own = _own_files(file)
            lines += _lines(file, own, owners)
            for _key, claim in own:
                owners.setdefault(claim, file)
    return lines


def shares(files: Iterable[JobConfig | BrokenConfig]) -> list[str]:
    """What two jobs share and probably should not, one line each."""
    owners: dict[str, JobConfig] = {}
    lines = []
    for file in files:
        if isinstance(file, JobConfig) and not file.host.disabled:
            for key, share in file.job_type.shares(file.settings).items():
                owner = owners.setdefault(share, file)
                if owner is not file:
                    reason = f"{share} belongs to {owner.name} ({owner.path}) too"
                    lines.append(f"{file.path}: {file.place(key)}: {reason}")
    return lines


def _lines(file: JobConfig, claims: Claims, owners: Mapping[str, JobConfig]) -> Iterator[str]:
    """A line for each claim that another job has."""
    for key, claim in claims:
        owner = owners.get(claim, file)
        if owner is not file:
            reason = f"{claim} belongs to {owner.name} ({owner.path}) already"
            yield f"cannot share between jobs: {file.path}: {file.place(key)}: {reason}"


def _claims(file: JobConfig) -> Claims:
    """What a job needs for itself alone; one that is disabled needs nothing."""
    return [] if file.host.disabled else list(file.job_type.claims(file.settings).items())


def _own_files(file: JobConfig) -> Claims:
    pidfile = file.host.pidfile
    pidfiles = [("pidfile", f"the pid file {Path(pidfile).absolute()}")] if pidfile else []
    return [("logfile", f"the log {file.log_path.absolute()}"), *pidfiles]
