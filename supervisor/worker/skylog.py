"""Logging configured by a ``skylog.ini``: a file of Python's logging, in one of several locations."""

from __future__ import annotations

import configparser
import logging
import logging.config
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from ..config import JobConfig
from ..errors import ConfigError
from ..redact import redact

UNLESS_TERMINAL = 1
"""Value of ``use_skylog`` that a process on a terminal ignores."""

FOREIGN = ("skylog.", "skytools.")
"""How the names of skytools' own handler classes begin."""


def is_wanted(file: JobConfig) -> bool:
    """Whether such a file configures the logging of this job."""
    use = file.host.use_skylog
    return use > UNLESS_TERMINAL or (use == UNLESS_TERMINAL and not os.isatty(0))


def inspect_skylog(file: JobConfig) -> None:
    """Look at the file that would configure the logging of a job in a fleet, if one would; no log is opened.

    Raises:
        ConfigError: there is no such file, it cannot be read, or a logger uses a handler of skytools.
    """
    if file.host.use_skylog:
        path = _find(file)
        with _explained(file, path):
            _read(path, _names(file))


def configure(file: JobConfig) -> None:
    """Configure logging by the first file that exists, as skytools did; earlier handlers are removed.

    The file may refer to ``%(job_name)s`` and ``%(service_name)s``, its formats to ``%(hostname)s`` too.

    Raises:
        ConfigError: there is no such file, it is not valid, or a logger uses a handler of skytools.
    """
    path, names = _find(file), _names(file)
    with _explained(file, path):
        logging.config.fileConfig(_read(path, names), disable_existing_loggers=False)
    names["hostname"] = socket.gethostname()
    for handler in logging.getLogger().handlers:
        handler.addFilter(partial(_prepare, names))


def _find(file: JobConfig) -> str:
    """The first of the job's locations that is a file."""
    locations = [each.strip() for each in file.host.skylog_locations.split(",")]
    found = next((each for each in locations if Path(each).expanduser().is_file()), None)
    if found is None:
        raise ConfigError(f"{_where(file)} no such file: {', '.join(locations)}")
    return str(Path(found).expanduser())


def _names(file: JobConfig) -> dict[str, str]:
    return {"job_name": file.name, "service_name": file.section}


def _where(file: JobConfig) -> str:
    return f"cannot load {file.path}: [{file.section}] skylog_locations:"


@contextmanager
def _explained(file: JobConfig, path: str) -> Iterator[None]:
    """Make one line of whatever is raised: sections of the file name any class with any arguments."""
    try:
        yield
    except ConfigError:
        raise
    except Exception as error:
        reason = redact(" ".join(str(error).split())) or type(error).__name__
        raise ConfigError(f"{_where(file)} cannot configure logging by {path}: {reason}") from error


def _read(path: str, names: Mapping[str, str]) -> configparser.ConfigParser:
    """The file without the handlers of skytools that no logger uses; the stock files have some.

    They write to skytools' own log server and database, which tdsup does not use.
    """
    parser = configparser.ConfigParser(names)
    with open(path, encoding="utf-8") as file:  # noqa: PTH123 (the path is a string)
        parser.read_file(file)
    loggers = _list(parser, "loggers", "keys")
    used = {name for logger in loggers for name in _list(parser, f"logger_{logger}", "handlers")}
    kept = []
    for name in _list(parser, "handlers", "keys"):
        kind = parser.get(f"handler_{name}", "class", raw=True, fallback="")
        if not kind.startswith(FOREIGN):
            kept.append(name)
        elif name in used:
            raise ConfigError(
                f"cannot configure logging by {path}: [handler_{name}] class: {kind} belongs to skytools; "
                "use one of Python's, such as handlers.SysLogHandler, or handlers.DatagramHandler"
            )
    if parser.has_section("handlers"):
        parser.set("handlers", "keys", ",".join(kept))
    return parser


def _list(parser: configparser.ConfigParser, section: str, key: str) -> list[str]:
    """The names in a value."""
    return [name.strip() for name in parser.get(section, key, fallback="").split(",") if name.strip()]


def _prepare(names: Mapping[str, str], record: logging.LogRecord) -> bool:
    """Give a record the names that a format may show, and hide passwords."""
    record.msg, record.args = redact(record.getMessage()), None
    if record.exc_info and not record.exc_text:
        record.exc_text = redact(logging.Formatter().formatException(record.exc_info))
    vars(record).update(names)
    return True
