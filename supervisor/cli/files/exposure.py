"""Files of a fleet that others may write, or read a password in."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from tdsup.jobtype import is_secret_file

from ...config import BrokenConfig, FleetSettings, JobConfig
from ...protocol import FILE
from ...redact import redact


def exposed(settings: FleetSettings, files: Iterable[JobConfig | BrokenConfig]) -> list[str]:
    """What others may do to a fleet's files, a line each; nothing of the files is shown.

    Args:
        settings: the fleet's.
        files: its jobs.
    """
    every = list(files)
    paths = [FILE, *(file.path for file in every), *(str(Path(file.path).parent) for file in every)]
    lines = [line for path in dict.fromkeys(paths) for line in _written(path)]
    sound = [file for file in every if isinstance(file, JobConfig)]
    secret = [file.path for file in sound if _has_password(file)]
    if any(redact(value) != value for value in settings.defaults.values()):
        secret.append(FILE)
    lines += [line for path in dict.fromkeys(secret) for line in _read(path, "it holds a password")]
    secret_files = dict.fromkeys(path for file in sound for path in _secret_files(file))
    lines += [line for path in secret_files for line in _read(path, "it holds a secret")]
    if settings.web_key:
        lines += _read(settings.web_key, "it is a private key", to_all=True)
    return lines


def _has_password(file: JobConfig) -> bool:
    values: Mapping[str, object] = file.settings.model_dump()
    return any(isinstance(value, str) and redact(value) != value for value in values.values())


def _secret_files(file: JobConfig) -> Iterator[str]:
    """Files that a job names and that others must not read; a credential of a unit is nobody else's."""
    for name, field in type(file.settings).model_fields.items():
        path = getattr(file.settings, name)
        if is_secret_file(field) and "/" in path:
            yield path


def _written(path: str) -> Iterator[str]:
    """Whoever writes one of these files is the fleet's user, in all but name."""
    found = _look(path)
    if found is None:
        return
    sticky = stat.S_ISDIR(found.st_mode) and found.st_mode & stat.S_ISVTX
    if found.st_uid not in {0, os.geteuid()} and os.geteuid() != 0:
        yield f"{path}: it belongs to another account, which can run anything as this fleet"
    elif _others(found) & stat.S_IWOTH and not sticky:
        mode = stat.S_IMODE(found.st_mode)
        yield f"{path}: others may write it (mode {mode:04o}), and run anything as this fleet; chmod go-w it"


def _read(path: str, why: str, *, to_all: bool = False) -> Iterator[str]:
    """Others may read a file that holds a secret; `to_all`: a group that is meant to may."""
    found = _look(path)
    if found is not None and (found.st_mode if to_all else _others(found)) & stat.S_IROTH:
        yield f"{path}: others may read it (mode {stat.S_IMODE(found.st_mode):04o}), and {why}; chmod o-r it"


def _look(path: str) -> os.stat_result | None:
    try:
        return Path(path).stat()
    except OSError:
        return None


def _others(found: os.stat_result) -> int:
    """The rights of others, with those of a group that has other members than the owner."""
    return found.st_mode if _is_private(found) else found.st_mode | found.st_mode >> 3


def _is_private(found: os.stat_result) -> bool:
    """Whether a file's group is its owner's alone, as Debian makes one for each account."""
    try:
        owner, group = pwd.getpwuid(found.st_uid), grp.getgrgid(found.st_gid)
    except KeyError:
        return False
    return owner.pw_gid == group.gr_gid and set(group.gr_mem) <= {owner.pw_name}
