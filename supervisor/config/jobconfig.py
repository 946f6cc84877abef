"""A job as a section of a file describes it: checked as a whole before it is used, then sound or broken."""

from __future__ import annotations

import hashlib
import logging
import socket
from collections.abc import Container, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel
from tdsup.jobtype import UNNAMED, JobType

from ..errors import ConfigError
from .inifile import DEFAULTS, Entry, IniFile, SyntaxFault
from .jobsettings import JobSettings
from .jobtypes import UnknownJobType, find_job_type
from .options import NOTHING, Fault, keys_without_effect, known_keys, read, unknown_key, why_ignored

_log = logging.getLogger("tdsup")


@dataclass(frozen=True)
class JobConfig:
    """A job that is fit to run.

    Attributes:
        path: its file, as given.
        section: header of its section, which names the job type.
        digest: of every value that it reads; equal digests mean that nothing has changed for it.
        host: the keys that the supervisor reads itself.
        settings: the job type's own settings.
        warnings: what a person should know, one line each.
        of_original: the file has keys that only the original has a use for.
    """

    path: str
    section: str
    digest: str
    host: JobSettings
    settings: BaseModel
    warnings: tuple[str, ...] = ()
    of_original: bool = False

    @property
    def job_type(self) -> JobType:
        """What runs the job."""
        return find_job_type(self.section)

    @property
    def name(self) -> str:
        """The job's name."""
        return self.host.job_name

    @property
    def log_path(self) -> Path:
        """Where the job logs to in a fleet."""
        return Path(self.host.logfile or f"log/{self.name}.log")


@dataclass(frozen=True)
class BrokenConfig:
    """A job that cannot run, and why; or all jobs of a file that cannot be read.

    Attributes:
        path: the file, as given.
        section: header of the broken section; empty if the file is broken as a whole.
        name: what the job is called.
        error: all faults.
        other_name: what it is called if another job has that name.
    """

    path: str
    section: str
    name: str
    error: ConfigError
    other_name: str = ""

    def free_name(self, taken: Container[str]) -> str:
        """A name for it that is not taken by another job."""
        names = (self.name, self.other_name or self.name, self.path)
        return next((name for name in names if name not in taken), f"{self.path}:{self.section}")


@dataclass(frozen=True)
class JobSection:
    """A section of a file, not yet checked.

    Attributes:
        path: the file, as given.
        header: of the section.
        name: what its job is called unless ``job_name`` says otherwise.
        ini: copies of the section and of its file's defaults; overrides and defaults of the fleet go in.
    """

    path: str
    header: str
    name: str
    ini: IniFile

    def check(
        self, overrides: Mapping[str, str] = NOTHING, defaults: Mapping[str, str] = NOTHING
    ) -> JobConfig:
        """Make the job of this section.

        Args:
            overrides: values by key that count instead of the file's (switch ``--set``).
            defaults: values by key for what the file does not say (key ``defaults`` of ``tdsup.yaml``).

        Raises:
            ConfigError: with all faults, one line each.
        """
        self.override(overrides)
        job_type = self.job_type()
        known = known_keys(JobSettings) | known_keys(job_type.settings)
        inherited = self._inherit({key: value for key, value in defaults.items() if key in known})
        values = {key: value for key, value in self.values().items() if key in known}
        host = read(JobSettings, values)
        own = {key: value for key, value in values.items() if key not in known_keys(JobSettings)}
        settings = read(
            job_type.settings, {**own, "job_name": values["job_name"]}, {UNNAMED: self._unnamed()}
        )
        faults = self._unknown_keys(known)
        if isinstance(host, list) or isinstance(settings, list) or faults:
            for result in (host, settings):
                faults += result if isinstance(result, list) else []
            places = dict.fromkeys(inherited, "defaults of tdsup.yaml:")
            places |= {key.lower(): "--set" for key in overrides}
            raise ConfigError(*(self.line(fault, places.get(fault.key, "")) for fault in faults))
        digest = hashlib.sha256(repr(sorted(values.items())).encode()).hexdigest()
        unused = self._without_effect(host, settings)
        warnings = tuple(self._warnings(unused))
        return JobConfig(self.path, self.header, digest, host, settings, warnings, bool(unused))

    def _unnamed(self) -> str:
        """The header, if nothing but the file's name or the header says what the job is called."""
        given = self.ini.sections[self.header].keys() | self.ini.sections.get(DEFAULTS, {}).keys()
        return "" if "job_name" in given else self.header

    def override(self, values: Mapping[str, str]) -> None:
        """Let these values by key count instead of the file's."""
        self.ini.sections[self.header].update((key.lower(), Entry(0, value)) for key, value in values.items())

    def values(self) -> dict[str, str]:
        """Keys of the section and of its defaults, references replaced; ``job_name`` is always there.

        Raises:
            ConfigError: one line for each value with a bad reference.
        """
        absolute = Path(self.path).absolute()
        given = {
            "job_name": self.name,
            "service_name": self.header,
            "host_name": socket.gethostname(),
            "config_dir": str(absolute.parent),
            "config_file": str(absolute),
        }
        keys = self.ini.sections[self.header]
        try:
            values = self.ini.interpolate(self.header, given, self.ini.is_extended(self.header))
        except SyntaxFault as fault:
            lines = str(fault).splitlines()
            raise ConfigError(*(f"cannot load {self.path}: {line}" for line in lines)) from fault
        injected = given.keys() - {"job_name"} - keys.keys()
        return {key: value for key, value in values.items() if key not in injected}

    def line(self, fault: Fault, place: str = "") -> str:
        """A fault as people are told; its place is this section unless another one is given."""
        key = f" {fault.key}:" if fault.key else ""
        return f"cannot load {self.path}: {place or f'[{self.header}]'}{key} {fault.reason}"

    def broken(self, error: ConfigError) -> BrokenConfig:
        """The job of this section, which cannot run; called by its ``job_name`` if that is sound."""
        name = self.name
        with suppress(ConfigError):
            host = read(JobSettings, {"job_name": self.values()["job_name"]})
            name = host.job_name if isinstance(host, JobSettings) else name
        return BrokenConfig(self.path, self.header, name, without_traceback(error), self.name)

    def job_type(self) -> JobType:
        """The job type that the header names.

        Raises:
            UnknownJobType: there is none of that name.
            ConfigError: it cannot be imported.
        """
        try:
            return find_job_type(self.header)
        except UnknownJobType as error:
            raise UnknownJobType(self.line(Fault("", str(error)))) from error
        except Exception as error:
            # Another package's module may raise anything; that must stop no other job.
            _log.debug("cannot import the job type %s", self.header, exc_info=True)
            reason = f"the job type cannot be imported: {error}"
            raise ConfigError(self.line(Fault("", reason))) from error

    def _inherit(self, defaults: Mapping[str, str]) -> dict[str, str]:
        """Add the defaults that the file does not set itself; returns them."""
        of_file = self.ini.sections.setdefault(DEFAULTS, {})
        own = of_file.keys() | self.ini.sections[self.header].keys()
        inherited = {key: value for key, value in defaults.items() if key not in own}
        of_file.update((key, Entry(0, value)) for key, value in inherited.items())
        return inherited

    def _unknown_keys(self, known: frozenset[str]) -> list[Fault]:
        """Keys of the section that nobody reads and no value refers to."""
        used = known | self.ini.referenced()
        return [
            unknown_key(key, known)
            for key in self.ini.sections[self.header]
            if key not in used and not why_ignored(key)
        ]

    def _without_effect(self, host: JobSettings, settings: BaseModel) -> dict[str, str]:
        """Keys that nothing reads, each with the reason."""
        used = known_keys(type(host)) | known_keys(type(settings)) | self.ini.referenced()
        old = {key: why_ignored(key) for key in self.ini.sections[self.header] if key not in used}
        found = keys_without_effect(host) | keys_without_effect(settings) | old
        return {key: reason for key, reason in found.items() if reason}

    def _warnings(self, without_effect: Mapping[str, str]) -> Iterator[str]:
        for section in (DEFAULTS, self.header):
            for warning in self.ini.warnings.get(section, ()):
                yield f"{self.path}: {warning}"
        for key, reason in without_effect.items():
            yield f"{self.path}: [{self.header}] {key}: has no effect: {reason}"


def without_traceback(error: ConfigError) -> ConfigError:
    """The same faults, to be kept: a traceback would hold the frames of this look at the files."""
    return ConfigError(*error.lines)
