"""A job as a section of a file describes it: checked as a whole before it is used, then sound or broken."""

from __future__ import annotations

import hashlib
import logging
import socket
from collections.abc import Container, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel
from tdsup.jobtype import UNNAMED, JobType, sections_of_model

from ..errors import ConfigError
from .inifile import DEFAULTS, Entry, IniFile, SyntaxFault
from .jobsettings import JobSettings
from .jobtypes import UnknownJobType, find_job_type
from .options import NOTHING, Fault, keys_without_effect, known_keys, read, unknown_key, why_ignored
from .parts.jobparts import JobParts

NO_ENTRY_HAS = frozenset({"job_name", "service_name", "config_format"})
"""Keys that an entry of ``tdsup.yaml`` has no use for: it has a name, and YAML is no ini file."""

_log = logging.getLogger("tdsup")


def place(section: str, entry: str = "", key: str = "") -> str:
    """Where a job is in its file, or a key of it, as messages say it.

    Args:
        section: header of the job's section.
        entry: the job's entry in ``tdsup.yaml``; empty if it has a section.
        key: of the job; empty: the job as a whole.
    """
    return ".".join(filter(None, (entry, key))) if entry else " ".join(filter(None, (f"[{section}]", key)))


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
        entry: what stands for a section in ``tdsup.yaml``, such as ``tickers.shop``; empty in other files.
    """

    path: str
    section: str
    digest: str
    host: JobSettings
    settings: BaseModel
    warnings: tuple[str, ...] = ()
    of_original: bool = False
    entry: str = ""

    def place(self, key: str) -> str:
        """Where a key, or a section in brackets, is in the file, as messages say it."""
        return key if key.startswith("[") else place(self.section, self.entry, key)

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
        entry: as of a `JobConfig`.
    """

    path: str
    section: str
    name: str
    error: ConfigError
    other_name: str = ""
    entry: str = ""

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
        entry: what stands for it in ``tdsup.yaml``; empty: it is the section of an ini file.
        parts: headers of further sections that belong to the job.
    """

    path: str
    header: str
    name: str
    ini: IniFile
    entry: str = ""
    parts: tuple[str, ...] = ()

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
        parts, said = self.job_parts(job_type), self.values_of_parts(job_type)
        filled = {UNNAMED: self._unnamed(), **parts.filled(said)}
        settings = read(job_type.settings, {**own, "job_name": values["job_name"]}, filled)
        faults = [*self._unknown_keys(known), *parts.faults()]
        if isinstance(host, list) or isinstance(settings, list) or faults:
            for result in (host, settings):
                faults += result if isinstance(result, list) else []
            places = dict.fromkeys(inherited, "defaults of tdsup.yaml:")
            places |= {key.lower(): "--set" for key in overrides}
            raise ConfigError(
                *(
                    self.line(each, "" if each.part else places.get(each.key, ""))
                    for each in parts.news(faults)
                )
            )
        digest = hashlib.sha256(repr((sorted(values.items()), said)).encode()).hexdigest()
        unused = self._without_effect(host, settings)
        warnings = (*self._warnings(unused), *(f"{self.path}: {each}" for each in parts.warnings(settings)))
        return JobConfig(self.path, self.header, digest, host, settings, warnings, bool(unused), self.entry)

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
        given = self._given()
        keys = self.ini.sections[self.header]
        with self._telling():
            values = self.ini.interpolate(self.header, given, self.ini.is_extended(self.header))
        injected = given.keys() - {"job_name"} - keys.keys()
        return {key: value for key, value in values.items() if key not in injected}

    def job_parts(self, job_type: JobType) -> JobParts:
        """The further sections of the job."""
        return JobParts(self.ini, self.header, self.parts, sections_of_model(job_type.settings))

    def values_of_parts(self, job_type: JobType) -> dict[str, dict[str, str]]:
        """What each of them says itself, by its name; raises ConfigError as `values` does."""
        if not self.parts:
            return {}
        with self._telling():
            return self.job_parts(job_type).values({**self._given(), **self.values()})

    def _given(self) -> dict[str, str]:
        """Values to which others may refer."""
        absolute = Path(self.path).absolute()
        return {
            "job_name": self.name,
            "service_name": self.header,
            "host_name": socket.gethostname(),
            "config_dir": str(absolute.parent),
            "config_file": str(absolute),
        }

    @contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except SyntaxFault as fault:
            lines = str(fault).splitlines()
            raise ConfigError(*(f"cannot load {self.path}: {line}" for line in lines)) from fault

    def line(self, fault: Fault, elsewhere: str = "") -> str:
        """A fault as people are told; its place is this section unless another one is given."""
        if elsewhere:
            where = f"{elsewhere} {fault.key}:"
        else:
            header = fault.part or self.header
            where = place(header, self.entry, fault.key) + (":" if fault.key or self.entry else "")
        return f"cannot load {self.path}: {where} {fault.reason}"

    def broken(self, error: ConfigError) -> BrokenConfig:
        """The job of this section, which cannot run; called by its ``job_name`` if that is sound."""
        name = self.name
        if not self.entry:
            with suppress(ConfigError):
                host = read(JobSettings, {"job_name": self.values()["job_name"]})
                name = host.job_name if isinstance(host, JobSettings) else name
        other_name = self.entry or self.name
        return BrokenConfig(self.path, self.header, name, without_traceback(error), other_name, self.entry)

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
        keys = self.ini.sections[self.header]
        if self.entry:
            here = known - NO_ENTRY_HAS
            return [unknown_key(key, here) for key in keys if key not in here]
        used = known | self.ini.referenced()
        return [unknown_key(key, known) for key in keys if key not in used and not why_ignored(key)]

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
            yield f"{self.path}: {place(self.header, self.entry, key)}: has no effect: {reason}"


def without_traceback(error: ConfigError) -> ConfigError:
    """The same faults, to be kept: a traceback would hold the frames of this look at the files."""
    return ConfigError(*error.lines)
