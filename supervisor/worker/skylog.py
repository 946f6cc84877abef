"""Logging configured by a ``skylog.ini``: a file of Python's logging, in one of several locations."""

from __future__ import annotations

import configparser
import logging
import logging.config
import os
import socket
from collections.abc import Mapping
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


def configure(file: JobConfig) -> None:
    """Configure logging by the first file that exists, as skytools did; earlier handlers are removed.

    The file may refer to ``%(job_name)s`` and ``%(service_name)s``, its formats to ``%(hostname)s`` too.

    Raises:
        ConfigError: there is no such file, it is not valid, or it names a handler of skytools.
    """
    locations = [each.strip() for each in file.host.skylog_locations.split(",")]
    found = next((each for each in locations if Path(each).expanduser().is_file()), None)
    where = f"cannot load {file.path}: [{file.section}] skylog_locations:"
    if found is None:
        raise ConfigError(f"{where} no such file: {', '.join(locations)}")
    path = str(Path(found).expanduser())
    names = {"job_name": file.name, "service_name": file.section}
    try:
        _refuse_foreign(path)
        logging.config.fileConfig(path, defaults=names, disable_existing_loggers=False, encoding="utf-8")
    except ConfigError:
        raise
    except Exception as error:
        # Its sections name any class with any arguments, so anything can be raised.
        reason = redact(" ".join(str(error).split())) or type(error).__name__
        raise ConfigError(f"{where} cannot configure logging by {path}: {reason}") from error
    names["hostname"] = socket.gethostname()
    for handler in logging.getLogger().handlers:
        handler.addFilter(partial(_prepare, names))


def _refuse_foreign(path: str) -> None:
    """Handlers of skytools write to its own log server and database, which tdsup does not use."""
    parser = configparser.RawConfigParser(strict=False)
    parser.read(path, encoding="utf-8")
    for section in parser.sections():
        name = parser.get(section, "class", fallback="")
        if name.startswith(FOREIGN):
            raise ConfigError(
                f"cannot configure logging by {path}: [{section}] class: {name} belongs to skytools; "
                "use one of Python's, such as handlers.SysLogHandler, or handlers.DatagramHandler"
            )


def _prepare(names: Mapping[str, str], record: logging.LogRecord) -> bool:
    """Give a record the names that a format may show, and hide passwords."""
    record.msg, record.args = redact(record.getMessage()), None
    if record.exc_info and not record.exc_text:
        record.exc_text = redact(logging.Formatter().formatException(record.exc_info))
    vars(record).update(names)
    return True
