"""One file of conf.d: one job, checked as a whole before it is used."""

from __future__ import annotations

import hashlib
import logging
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel
from tdsup.jobtype import JobType

from ..errors import ConfigError
from .inifile import DEFAULTS, Entry, IniFile, SyntaxFault, parse
from .jobsettings import JobSettings, expand
from .jobtypes import find_job_type, job_types
from .options import Fault, keys_without_effect, known_keys, read, unknown_key

HEADLESS = "table_dispatcher"
"""Job type of a file without a section header, for the old manual page's example has none."""

NOTHING: Mapping[str, str] = MappingProxyType({})

_log = logging.getLogger("tdsup")


@dataclass(frozen=True)
class JobFile:
    """A job's file that is fit to run.

    Attributes:
        path: the file as it was named.
        digest: of its content; another digest is another job file.
        section: header of its section, which names the job type.
        job_type: what runs the job.
        host: the keys that the supervisor reads itself.
        settings: the job type's own settings.
        warnings: what a person should know, one line each.
    """

    path: str
    digest: str
    section: str
    job_type: JobType
    host: JobSettings
    settings: BaseModel
    warnings: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The job's name."""
        return self.host.job_name

    @property
    def log_path(self) -> Path:
        """Where a job of a fleet logs to."""
        return Path(self.host.logfile or f"log/{self.name}.log")


@dataclass(frozen=True)
class BrokenFile:
    """A job's file that cannot run, and why."""

    path: str
    digest: str
    name: str
    error: ConfigError


def load_job_file(
    path: str, overrides: Mapping[str, str] = NOTHING, defaults: Mapping[str, str] = NOTHING
) -> JobFile:
    """Read and check one file.

    Args:
        path: the file.
        overrides: values by key that count instead of the file's (switch ``--set``).
        defaults: values by key for what the file does not say (key ``defaults`` of ``tdsup.yaml``).

    Raises:
        ConfigError: with all faults of the file, one line each.
    """
    return check_content(path, content_of(path), overrides, defaults)


def check_defaults(defaults: Mapping[str, str]) -> list[Fault]:
    """Keys of the fleet's defaults that no installed job type knows."""
    if not defaults:
        return []
    known = known_keys(JobSettings) - {"job_name"}
    for job_type in job_types():
        known |= known_keys(job_type.settings) - {"job_name"}
    return [unknown_key(key, known) for key in defaults if key not in known]


def pidfile_of(path: str, overrides: Mapping[str, str]) -> tuple[str, str]:
    """Name of a job and its pid file, whatever else of its file is at fault.

    Raises:
        ConfigError: not even that can be read.
    """
    ini = parse(decode(content_of(path)), HEADLESS)
    section = _only_section(path, ini)
    ini.sections[section].update((key.lower(), Entry(0, value)) for key, value in overrides.items())
    values = _values(path, ini, section)
    try:
        return values["job_name"], expand(values.get("pidfile", ""))
    except ValueError as error:
        raise ConfigError(_line(path, f"[{section}]", Fault("pidfile", str(error)))) from error


def content_of(path: str) -> bytes:
    """Bytes of a job's file; raises ConfigError if it cannot be read."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from error


def decode(content: bytes) -> str:
    """Text of an ini file."""
    try:
        return content.decode()
    except UnicodeDecodeError:
        # Files of the Python 2 time are in any encoding; this one decodes every byte.
        return content.decode("latin-1")


def digest_of(content: bytes) -> str:
    """A digest that another content does not have."""
    return hashlib.sha256(content).hexdigest()


def check_content(
    path: str, content: bytes, overrides: Mapping[str, str] = NOTHING, defaults: Mapping[str, str] = NOTHING
) -> JobFile:
    """Build the job file of a content; see `load_job_file`."""
    ini = parse(decode(content), HEADLESS)
    section = _only_section(path, ini)
    ini.sections[section].update((key.lower(), Entry(0, value)) for key, value in overrides.items())
    job_type = _job_type(path, section)
    known = known_keys(JobSettings) | known_keys(job_type.settings)
    inherited = _inherit(ini, section, {key: value for key, value in defaults.items() if key in known})
    values = _values(path, ini, section)
    host = read(JobSettings, values)
    own = {key: value for key, value in values.items() if key not in known_keys(JobSettings)}
    own["job_name"] = values["job_name"]
    settings = read(job_type.settings, own)
    unknown = ini.sections[section].keys() - known - ini.referenced()
    faults = [unknown_key(key, known) for key in ini.sections[section] if key in unknown]
    if isinstance(host, list) or isinstance(settings, list) or faults:
        for result in (host, settings):
            faults += result if isinstance(result, list) else []
        places = dict.fromkeys(inherited, "defaults of tdsup.yaml:") | {
            key.lower(): "--set" for key in overrides
        }
        raise ConfigError(*(_line(path, places.get(fault.key, f"[{section}]"), fault) for fault in faults))
    warnings = [f"{path}: {warning}" for warning in ini.warnings]
    for key, reason in (keys_without_effect(host) | keys_without_effect(settings)).items():
        warnings.append(f"{path}: [{section}] {key}: has no effect: {reason}")
    digest = digest_of(content + repr(sorted(inherited.items())).encode() if inherited else content)
    return JobFile(path, digest, section, job_type, host, settings, tuple(warnings))


def _inherit(ini: IniFile, section: str, defaults: Mapping[str, str]) -> dict[str, str]:
    """Add the defaults that the file does not set itself; returns them."""
    of_file = ini.sections.setdefault(DEFAULTS, {})
    inherited = {
        key: value for key, value in defaults.items() if key not in of_file.keys() | ini.sections[section]
    }
    of_file.update((key, Entry(0, value)) for key, value in inherited.items())
    return inherited


def _line(path: str, place: str, fault: Fault) -> str:
    key = f" {fault.key}:" if fault.key else ""
    return f"cannot load {path}: {place}{key} {fault.reason}"


def _only_section(path: str, ini: IniFile) -> str:
    """Name of the file's one section."""
    lines = [f"cannot load {path}: {fault}" for fault in ini.faults]
    jobs = ini.jobs()
    if not jobs and not lines:
        lines.append(f"cannot load {path}: no section; its header names the job type, such as [{HEADLESS}]")
    if len(jobs) > 1:
        names = " ".join(f"[{name}]" for name in jobs)
        lines.append(f"cannot load {path}: one file is one job, but it has {len(jobs)} sections: {names}")
    if lines:
        raise ConfigError(*lines)
    return jobs[0]


def _job_type(path: str, section: str) -> JobType:
    """The job type that a section header names."""
    try:
        return find_job_type(section)
    except ConfigError as error:
        raise ConfigError(f"cannot load {path}: [{section}] {error}") from error
    except Exception as error:
        # Another package's module may raise anything, and must stop no other job.
        _log.debug("cannot import the job type %s", section, exc_info=True)
        raise ConfigError(
            f"cannot load {path}: [{section}] the job type cannot be imported: {error}"
        ) from error


def _values(path: str, ini: IniFile, section: str) -> dict[str, Any]:
    """Keys of the section and known keys of its defaults; ``job_name`` is always there."""
    absolute = Path(path).absolute()
    given = {
        "job_name": absolute.stem,
        "service_name": section,
        "host_name": socket.gethostname(),
        "config_dir": str(absolute.parent),
        "config_file": str(absolute),
    }
    keys = ini.sections[section]
    extended = "config_format" in keys and keys["config_format"].value == "2"
    try:
        values = ini.interpolate(section, given, extended)
    except SyntaxFault as fault:
        raise ConfigError(*(f"cannot load {path}: {line}" for line in str(fault).splitlines())) from fault
    injected = given.keys() - {"job_name"} - keys.keys()
    return {key: value for key, value in values.items() if key not in injected}
