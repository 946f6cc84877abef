"""One file of conf.d and its jobs: each section is one. The tickers of ``tdsup.yaml`` are jobs too."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import ConfigError
from ..protocol import FILE
from ..redact import redact
from .fleetsettings import FleetSettings
from .inifile import DEFAULTS, Entry, IniFile, parse
from .jobconfig import BrokenConfig, JobConfig, JobSection, without_traceback
from .jobsettings import expand
from .jobtypes import UnknownJobType
from .options import NOTHING, Fault, shown_default, spellings
from .parts.jobparts import part_headers

SIZE_LIMIT = 1 << 20
"""Bytes of the largest file of jobs."""

TICKER = "pgq_ticker"
"""The job type of tickers."""

HEADLESS = "table_dispatcher"
"""Section of keys that come before any header: the old manual page's own example has none."""


def jobs_of(
    path: str,
    defaults: Mapping[str, str] = NOTHING,
    taken: dict[str, str] | None = None,
    *,
    skylog: bool = True,
) -> list[JobConfig | BrokenConfig]:
    """Read and check a file: its jobs, sound or broken, in the order of its sections.

    A file that is broken as a whole is one broken job, called by the file: one with a line that means
    nothing, or with a header that is no job type, which may add a job or rename one.

    Args:
        path: the file.
        defaults: values by key for what the file does not say (key ``defaults`` of ``tdsup.yaml``).
        taken: files by the names of their jobs, to which those of this file are added; a job whose name is
            taken is broken.
        skylog: a skylog.ini may configure logs.
    """
    taken = {} if taken is None else taken
    try:
        sections = sections_of(path)
        _refuse_unknown_headers(sections)
    except ConfigError as error:
        return [BrokenConfig(path, "", Path(path).stem, without_traceback(error))]
    jobs = (_job_of(section, defaults, taken) for section in sections)
    return [job if skylog else _without_skylog(job) for job in jobs]


def tickers_of(
    tickers: Mapping[str, Mapping[str, str]],
    defaults: Mapping[str, str] = NOTHING,
    taken: dict[str, str] | None = None,
    *,
    skylog: bool = True,
) -> list[JobConfig | BrokenConfig]:
    """Check tickers: their jobs, sound or broken, in the order in which they are written.

    Args:
        tickers: keys and values by the name of the ticker (key ``tickers`` of ``tdsup.yaml``).
        defaults: values by key for what they do not say.
        taken: as of `jobs_of`.
        skylog: a skylog.ini may configure logs.
    """
    taken = {} if taken is None else taken
    # Defaults may hold references, as in an ini file; what a ticker says is meant as it is.
    mark = "$" if defaults.get("config_format") == "2" else "%"
    jobs = []
    for name, values in tickers.items():
        keys = {key: Entry(0, value.replace(mark, mark * 2)) for key, value in values.items()}
        section = JobSection(FILE, TICKER, name, IniFile({TICKER: keys}), f"tickers.{name}")
        jobs.append(_job_of(section, defaults, taken))
    return [job if skylog else _without_skylog(job) for job in jobs]


def load_only_job(path: str, overrides: Mapping[str, str] = NOTHING) -> JobConfig:
    """Read and check a file of one job.

    Args:
        path: the file.
        overrides: values by key that count instead of the file's (switch ``--set``).

    Raises:
        ConfigError: with all faults of the file, one line each; or it has several jobs.
    """
    return _only_section(path).check(overrides)


def pidfile_of(path: str, overrides: Mapping[str, str]) -> tuple[str, str]:
    """Name and pid file of the only job of a file, even if the rest of it is faulty.

    Raises:
        ConfigError: not even that can be read, or there are several jobs.
    """
    section = _only_section(path)
    section.override(overrides)
    values = section.values()
    try:
        return values["job_name"], expand(values.get("pidfile", ""))
    except ValueError as error:
        raise ConfigError(section.line(Fault("pidfile", str(error)))) from error


def sections_of(path: str) -> list[JobSection]:
    """The sections of a file, each one a job to be checked; there is always at least one.

    The only job of a file is called by the file, several are called by their headers.

    Raises:
        ConfigError: the file cannot be read, has no section, or has a line that means nothing.
    """
    ini = parse(text_of(path), HEADLESS)
    headers = ini.headers()
    lines = [f"cannot load {path}: {fault}" for fault in ini.faults]
    if not headers and not lines:
        lines.append(f"cannot load {path}: no section; its header names the job type, such as [{HEADLESS}]")
    if lines:
        raise ConfigError(*lines)
    stem = Path(path).absolute().stem
    parts = part_headers(headers)
    headers = [header for header in headers if header not in parts]
    if parts and len(headers) != 1:
        raise ConfigError(
            f"cannot load {path}: [{parts[0]}] belongs to the only job of a file, and this one has "
            f"{len(headers) or 'none'}: give the job a file of its own"
        )
    several = len(headers) > 1
    return [
        JobSection(path, header, header if several else stem, ini.alone(header, *parts), parts=tuple(parts))
        for header in headers
    ]


def _refuse_unknown_headers(sections: Sequence[JobSection]) -> None:
    lines: list[str] = []
    for section in sections:
        try:
            section.job_type()
        except UnknownJobType as error:
            lines += error.lines
        except ConfigError:
            pass  # One that cannot be imported is a fault of its section alone.
    if lines:
        raise ConfigError(*lines)


def _only_section(path: str) -> JobSection:
    first, *others = sections_of(path)
    if others:
        headers = " ".join(f"[{section.header}]" for section in (first, *others))
        raise ConfigError(
            f"cannot load {path}: it has {1 + len(others)} jobs, {headers}, and table_dispatcher runs one: "
            "run the file with tdsup, or give each job a file of its own"
        )
    return first


def _job_of(
    section: JobSection, defaults: Mapping[str, str], taken: dict[str, str]
) -> JobConfig | BrokenConfig:
    """The job of a section; its name is taken from now on."""
    try:
        job = section.check(defaults=defaults)
    except ConfigError as error:
        return section.broken(error)
    if job.name in taken:
        reason = f"{job.name} is the name of the job in {taken[job.name]} already"
        return section.broken(ConfigError(section.line(Fault("" if section.entry else "job_name", reason))))
    taken[job.name] = section.path
    return job


def _without_skylog(job: JobConfig | BrokenConfig) -> JobConfig | BrokenConfig:
    """The job in a fleet that allows no skylog.ini; broken if it asks for one."""
    if isinstance(job, BrokenConfig) or not job.host.use_skylog:
        return job
    fault = "tdsup.yaml allows no skylog.ini (skylog)"
    error = ConfigError(f"cannot load {job.path}: {job.place('use_skylog')}: {fault}")
    return BrokenConfig(job.path, job.section, job.name, error, entry=job.entry)


@dataclass(frozen=True, slots=True)
class Setting:
    """A key of a job, as people are shown it.

    Attributes:
        key: as it is written, or the first of its spellings.
        value: without secrets.
        origin: where the value comes from.
    """

    key: str
    value: str
    origin: str


def settings_of(job: JobConfig, fleet: FleetSettings) -> list[Setting]:
    """All keys of a job, with their values and where those come from.

    Args:
        job: of a file of conf.d, or a ticker.
        fleet: the fleet's settings.

    Raises:
        ConfigError: its file cannot be read any more.
    """
    own: dict[str, Entry]
    of_file: dict[str, Entry] = {}
    if job.entry:
        values = dict(fleet.tickers[job.name])
        own = {key: Entry(0, value) for key, value in values.items()}
    else:
        (section,) = (each for each in sections_of(job.path) if each.header == job.section)
        own, of_file = section.ini.sections[job.section], section.ini.sections.get(DEFAULTS, {})
        values = section.values()
    defaults = fleet.defaults
    found: list[Setting] = []
    for model in (job.settings, job.host):
        for name, keys in spellings(type(model)).items():
            key = next((key for key in keys if key in own or key in of_file or key in defaults), keys[0])
            field = type(model).model_fields[name]
            if key in own:
                origin = f"{FILE}: {job.entry}" if job.entry else f"{job.path}: line {own[key].line}"
            elif key in of_file:
                origin = f"{job.path}: [{DEFAULTS}] line {of_file[key].line}"
            else:
                origin = f"{FILE}: defaults" if key in defaults else "default"
            value = values.get(key, defaults.get(key, shown_default(field)))
            found.append(Setting(key, redact(value), origin))
    return found if job.entry else [*found, *_settings_of_parts(job, section)]


def _settings_of_parts(job: JobConfig, section: JobSection) -> Iterator[Setting]:
    """What further sections say themselves."""
    said = section.values_of_parts(job.job_type)
    for header, values in zip(section.parts, said.values(), strict=True):
        for key, entry in section.ini.sections[header].items():
            origin = f"{job.path}: line {entry.line}"
            yield Setting(f"[{header}] {key}", redact(values[key]), origin)


def why_unfit(found: os.stat_result) -> str:
    """Why something cannot be a file of jobs; empty if it can."""
    if not stat.S_ISREG(found.st_mode):
        return "it is no regular file"
    if found.st_size > SIZE_LIMIT:
        return f"it has more than {SIZE_LIMIT} bytes"
    return ""


def text_of(path: str) -> str:
    """Text of an ini file.

    Raises:
        ConfigError: it cannot be read.
    """
    try:
        # A fifo without a writer would never be opened.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            reason = why_unfit(os.fstat(file.fileno()))
            content = b"" if reason else file.read(SIZE_LIMIT)
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from error
    if reason:
        raise ConfigError(f"cannot read {path}: {reason}")
    try:
        return content.decode()
    except UnicodeDecodeError:
        # Files of the Python 2 time are in any encoding; this one decodes every byte.
        return content.decode("latin-1")
