"""How a line of a log looks."""

from __future__ import annotations

import json
import logging
import socket
import time
from dataclasses import dataclass
from typing import Any

from tdsup.jobtype import printable

from .redact import redact

DEFAULT_FORMAT = "%(asctime)s %(process)s %(levelname)s %(message)s"
"""Log line of the original program: people search logs for it."""


@dataclass(frozen=True, slots=True)
class LineFormat:
    """How a line of a log looks.

    Attributes:
        line: as Python's logging formats it.
        time: as strftime formats it; empty means the default of Python's logging.
        json: a line is a JSON object instead.
    """

    line: str = DEFAULT_FORMAT
    time: str = ""
    json: bool = False


@dataclass(frozen=True, slots=True)
class Names:
    """What a line may show besides the record itself.

    Attributes:
        job: name of the job.
        service: its job type.
    """

    job: str = ""
    service: str = ""


class _Text(logging.Formatter):
    """A formatter that shows no password, and of foreign text nothing that a terminal would act on."""

    def format(self, record: logging.LogRecord) -> str:
        """The text of a record: one line, and a traceback if there is one."""
        return redact(super().format(record))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (logging's name)
        """The record's line."""
        record.message = printable(record.message)
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:  # noqa: N802 (logging's name)
        """A traceback, whose lines may quote anything."""
        return "\n".join(map(printable, super().formatException(ei).split("\n")))


class _Json(logging.Formatter):
    """A JSON object for each record, for programs; it shows no password either.

    Args:
        job: whose process this is; a record's own attribute ``job`` counts more.
    """

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def __init__(self, job: str) -> None:
        super().__init__()
        self._job = job

    def format(self, record: logging.LogRecord) -> str:
        """One line of JSON, the time in UTC (RFC 3339)."""
        content = {
            "time": self.formatTime(record),
            "level": record.levelname,
            "pid": record.process,
            "name": record.name,
            "job": getattr(record, "job", self._job),
            "message": redact(record.getMessage()),
        }
        if record.exc_info:
            content["traceback"] = redact(self.formatException(record.exc_info))
        text = json.dumps(content, ensure_ascii=False)
        return text if text.isprintable() else json.dumps(content)


def formatter(line_format: LineFormat, names: Names) -> logging.Formatter:
    """What makes lines of records; they show no password and nothing that a terminal would act on."""
    if line_format.json:
        return _Json(names.job)
    known = {"hostname": socket.gethostname(), "job_name": names.job, "service_name": names.service}
    return _Text(line_format.line, line_format.time or None, defaults=known)
