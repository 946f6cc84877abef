"""All job files of a fleet, and what only shows between them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from ..errors import ConfigError
from .jobfile import NOTHING, BrokenFile, JobFile, check_content, content_of, digest_of


def scan(patterns: Iterable[str], defaults: Mapping[str, str] = NOTHING) -> list[JobFile | BrokenFile]:
    """Read all job files that match the globs, sorted by path within each glob; none stops another.

    A job name that an earlier file has makes the later file a broken one.

    Args:
        patterns: the globs.
        defaults: values by key for what the files do not say.

    Raises:
        ConfigError: a directory cannot be read, which is not the same as an empty one.
    """
    taken: dict[str, str] = {}
    found = [_load(path, taken, defaults) for path in paths(patterns)]
    return [_with_free_name(file, taken) if isinstance(file, BrokenFile) else file for file in found]


def paths(patterns: Iterable[str]) -> list[str]:
    """Files that match the globs, sorted within each glob; raises as `scan` does."""
    return list(dict.fromkeys(str(path) for pattern in patterns for path in sorted(_glob(pattern))))


def _load(path: str, taken: dict[str, str], defaults: Mapping[str, str]) -> JobFile | BrokenFile:
    """Read one file; ``taken`` holds the paths of sound job files by the name of their job."""
    content = b""
    try:
        content = content_of(path)
        file = check_content(path, content, NOTHING, defaults)
    except ConfigError as error:
        # Its lines only: by its traceback it would hold the frames of this reload, and they the one before.
        return BrokenFile(path, digest_of(content), Path(path).stem, ConfigError(*error.lines))
    if file.name in taken:
        reason = f"{file.name} is the name of the job in {taken[file.name]} already"
        clash = ConfigError(f"cannot load {path}: [{file.section}] job_name: {reason}")
        return BrokenFile(path, file.digest, Path(path).stem, clash)
    taken[file.name] = path
    return file


def _with_free_name(file: BrokenFile, taken: dict[str, str]) -> BrokenFile:
    """A broken file is called by its base name; by its full path if another job has that name."""
    name = file.path if file.name in taken else file.name
    taken[name] = file.path
    return BrokenFile(file.path, file.digest, name, file.error)


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
        # What pathlib raises for a pattern that cannot be, such as an empty one or ~ of nobody.
        raise ConfigError(f"cannot read job files {pattern!r}: no such pattern ({error})") from error


def clashes(files: Iterable[JobFile | BrokenFile]) -> list[str]:
    """What two jobs cannot have both, such as one log file, one line each."""
    owners: dict[str, JobFile] = {}
    lines = []
    for file in files:
        if isinstance(file, JobFile):
            for key, claim in _claims(file):
                owner = owners.setdefault(claim, file)
                if owner is not file:
                    reason = f"{claim} belongs to {owner.name} ({owner.path}) already"
                    lines.append(f"cannot share between jobs: {file.path}: [{file.section}] {key}: {reason}")
    return lines


def _claims(file: JobFile) -> Iterator[tuple[str, str]]:
    """What the job needs for itself, by the key that says so."""
    yield "logfile", f"the log {file.log_path.absolute()}"
    if file.host.pidfile:
        yield "pidfile", f"the pid file {Path(file.host.pidfile).absolute()}"
    yield from file.job_type.claims(file.settings).items()
