"""Taking over a fleet of scriptmgr, the launcher of skytools.

Its ini file has a section ``[scriptmgr]`` with ``config_list``, the globs of the job files, and a section for
each service, under the header that its job files have: ``script cwd args user disabled``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import ConfigError
from ..protocol import FILE
from .confd import paths
from .inifile import IniFile, SyntaxFault, parse
from .jobfile import text_of
from .jobtypes import find_job_type

SECTION = "scriptmgr"

YES = ("1", "true", "yes", "on")
"""How a key that is on may be written, in any case."""


@dataclass
class Import:
    """What becomes of a scriptmgr's fleet.

    Attributes:
        jobs: globs and files for ``tdsup.yaml``.
        count: how many files these are.
        services: services whose jobs are taken, with their keys.
        notes: what a person should know, one line each.
    """

    jobs: list[str] = field(default_factory=list)
    count: int = 0
    services: dict[str, Mapping[str, str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def import_fleet(path: Path) -> list[str]:
    """Write ``tdsup.yaml`` into the working directory for the jobs of a scriptmgr.

    Returns:
        What was done and what is left for a person to do, one line each.

    Raises:
        ConfigError: the file cannot be read, none of its jobs can be run, or ``tdsup.yaml`` exists.
    """
    # Not at the top: only this command needs it.
    import yaml

    taken = _read(path)
    notes = [
        *(" ".join(note.split()) for note in [*taken.notes, *_notes(taken)]),
        "stop the old daemons before tdsup starts: scriptmgr stop -a",
    ]
    content = {"jobs": taken.jobs}
    comments = "".join(f"# {line}\n" for line in [f"Made from {path.name}.", *notes])
    try:
        with Path(FILE).open("x", encoding="utf-8") as file:
            file.write(comments + yaml.safe_dump(content, sort_keys=False, allow_unicode=True))
    except FileExistsError as error:
        raise ConfigError(f"cannot write {FILE}: it exists already") from error
    except OSError as error:
        raise ConfigError(f"cannot write {FILE}: {error.strerror}") from error
    return [f"wrote {FILE}: {taken.count} job files; tdsup check tells whether they can run", *notes]


def _read(path: Path) -> Import:
    ini = parse(text_of(str(path)), SECTION)
    if ini.faults:
        raise ConfigError(*(f"cannot load {path}: {fault}" for fault in ini.faults))
    own = _values(path, ini, SECTION)
    config_list = os.path.expandvars(own.get("config_list", ""))
    globs = [glob.strip() for glob in config_list.split(",") if glob.strip()]
    if not globs:
        raise ConfigError(f"cannot load {path}: [{SECTION}] config_list: required key is missing")
    services = {name: _values(path, ini, name) for name in ini.headers() if name != SECTION}
    taken = Import()
    for glob in globs:
        _take(taken, glob, services)
    if not taken.count:
        raise ConfigError(
            f"cannot import {path}: no file of config_list is a job that tdsup can run", *taken.notes
        )
    return taken


def _values(path: Path, ini: IniFile, section: str) -> dict[str, str]:
    """Keys of a section and of the defaults."""
    if section not in ini.sections:
        raise ConfigError(f"cannot load {path}: no section [{section}]")
    try:
        return ini.interpolate(section, {"job_name": path.stem, "service_name": section}, extended=False)
    except SyntaxFault as fault:
        raise ConfigError(*(f"cannot load {path}: {line}" for line in str(fault).splitlines())) from fault


def _take(taken: Import, glob: str, services: Mapping[str, Mapping[str, str]]) -> None:
    """Take the files of one glob: as the glob if all of them can be run, else one by one."""
    folder = Path(os.path.expanduser(glob)).parent  # noqa: PTH111 (Path's raises for an unknown user)
    if not set("*?[") & set(str(folder)) and not folder.exists():
        taken.notes.append(f"left out {glob}: there is no folder {folder}")
        return
    files = paths([glob])
    ours = []
    for file in files:
        reason = _why_not(file, services)
        if reason:
            taken.notes.append(f"left out {file}: {reason}")
        else:
            ours.append(file)
            service = _service(file)
            taken.services[service] = services[service]
    taken.count += len(ours)
    taken.jobs += [glob] if len(ours) == len(files) else ours


def _service(file: str) -> str:
    """The section of a job's file, which names its service.

    Raises:
        ConfigError: the file cannot be read, or has not just one section, as files of scriptmgr have.
    """
    headers = parse(text_of(file), "").headers()
    if len(headers) != 1:
        raise ConfigError(f"it has {len(headers)} sections, and scriptmgr runs files of one")
    return headers[0]


def _why_not(file: str, services: Mapping[str, Mapping[str, str]]) -> str:
    """Why a file is not taken; empty if it is."""
    try:
        service = _service(file)
        find_job_type(service)
    except ConfigError as error:
        return str(error)
    if service not in services:
        return f"scriptmgr has no service {service}, so it did not run it either"
    if services[service].get("disabled", "").lower() in YES:
        return f"its service {service} is disabled"
    return ""


def _notes(taken: Import) -> list[str]:
    """What `tdsup.yaml` cannot say about the services."""
    notes = []
    for name, service in taken.services.items():
        cwd = Path(service.get("cwd") or ".").expanduser().absolute()
        if cwd != Path.cwd():
            notes.append(f"[{name}] cwd is {cwd}: relative paths in its files are now relative to here")
        if service.get("user"):
            notes.append(f"[{name}] user is {service['user']}: run tdsup as that user")
        if service.get("args"):
            notes.append(f"[{name}] args {service['args']}: dropped: jobs have no switches")
    return notes
