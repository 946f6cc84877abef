"""All jobs of a fleet: those of its files, and its tickers."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from ..errors import ConfigError
from .fleetsettings import FleetSettings, load_fleet
from .jobconfig import BrokenConfig, JobConfig
from .jobfile import jobs_of, tickers_of, why_unfit
from .options import NOTHING

NO_TICKERS: Mapping[str, Mapping[str, str]] = MappingProxyType({})


def scan(
    patterns: Iterable[str],
    defaults: Mapping[str, str] = NOTHING,
    tickers: Mapping[str, Mapping[str, str]] = NO_TICKERS,
    *,
    skylog: bool = True,
) -> list[JobConfig | BrokenConfig]:
    """All jobs of the files that match the globs, sorted by path within each glob; none stops another.

    What matches and cannot be a file of jobs is passed over; see `passed_over`. No two jobs have one
    name: a job whose name an earlier one has is broken. Tickers come last.

    Args:
        patterns: the globs.
        defaults: values by key for what the files do not say.
        tickers: those of ``tdsup.yaml``.
        skylog: a skylog.ini may configure logs.

    Raises:
        ConfigError: a directory cannot be read, which is not the same as being empty.
    """
    taken: dict[str, str] = {}
    fit = [path for path in paths(patterns) if not _why_unfit(path)]
    found = [job for path in fit for job in jobs_of(path, defaults, taken, skylog=skylog)]
    found += tickers_of(tickers, defaults, taken, skylog=skylog)
    return [_with_free_name(job, taken) if isinstance(job, BrokenConfig) else job for job in found]


def scan_fleet(settings: FleetSettings) -> list[JobConfig | BrokenConfig]:
    """All jobs of a fleet; raises what `scan` raises."""
    return scan(settings.jobs, settings.defaults, settings.tickers, skylog=settings.skylog)


def read_again(file: JobConfig | BrokenConfig, settings: FleetSettings) -> list[JobConfig | BrokenConfig]:
    """All jobs that are now where a job was: in its file, or among the tickers.

    Args:
        file: the job as it was.
        settings: the fleet's; its tickers are read again.

    Raises:
        ConfigError: ``tdsup.yaml`` is faulty.
    """
    if file.entry:
        return tickers_of(load_fleet().tickers, settings.defaults, skylog=settings.skylog)
    return jobs_of(file.path, settings.defaults, skylog=settings.skylog)


def paths(patterns: Iterable[str]) -> list[str]:
    """Files that match the globs, sorted within each glob; raises what `scan` raises.

    A name that begins with a dot is matched by a glob that begins with one: editors and mounts make others.
    """
    return list(
        dict.fromkeys(
            str(path)
            for pattern in patterns
            for path in sorted(_glob(pattern))
            if not path.name.startswith(".") or Path(pattern).name.startswith(".")
        )
    )


def passed_over(patterns: Iterable[str]) -> list[str]:
    """What matches the globs and cannot be a file of jobs, a line each; raises what `scan` raises."""
    return [
        f"cannot read {path}: {reason}; passed over"
        for path in paths(patterns)
        if (reason := _why_unfit(path))
    ]


def _why_unfit(path: str) -> str:
    try:
        return why_unfit(Path(path).stat())
    except OSError:
        # Its job is told to be broken, and why.
        return ""


def _with_free_name(job: BrokenConfig, taken: dict[str, str]) -> BrokenConfig:
    """The same under a name that no other job has."""
    name = job.free_name(taken)
    taken[name] = job.path
    return replace(job, name=name)


def _glob(pattern: str) -> Iterable[Path]:
    """Paths that match a glob, absolute or relative to the working directory."""
    try:
        expanded = Path(pattern).expanduser()
        folder = expanded.parent
        if not set("*?[") & set(str(folder)):
            os.scandir(folder).close()
        start = Path(expanded.anchor)
        return list(start.glob(str(expanded.relative_to(start))))
    except OSError as error:
        raise ConfigError(f"cannot read {folder}: {error.strerror}") from error
    except (ValueError, IndexError, RuntimeError) as error:
        # What pathlib raises for a bad pattern: an empty one, or the ~ of an unknown user.
        raise ConfigError(f"cannot read job files {pattern!r}: not a valid pattern ({error})") from error
