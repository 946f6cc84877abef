"""The keys of a job's section that the supervisor reads itself."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ByteSize, ConfigDict, Field, field_validator
from tdsup.jobtype import no_effect

from ..lineformat import DEFAULT_FORMAT, LineFormat

RESERVED = frozenset({"tdsup", "tdsup-web"})
"""Names of the master's and the web child's logs; a job of that name would rotate them away."""


def expand(name: str) -> str:
    """Expand ``~`` in a file name; raises ValueError if that is nobody's home."""
    try:
        return str(Path(name).expanduser()) if name else ""
    except RuntimeError as error:
        raise ValueError("must name a user with a home directory after its ~") from error


def _without_effect(reason: str, default: object = None) -> Any:
    return Field(default=default, json_schema_extra=no_effect(reason))


FileName = Annotated[str, AfterValidator(expand)]


class JobSettings(BaseModel):
    """What the host of a job needs to know. Names and defaults are those of the original program."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    job_name: str = Field(
        min_length=1,
        description="Name of the job; default: base name of the file, or the section's header in a file of "
        "several jobs.",
    )
    pidfile: FileName = Field(
        default="", description="File for the pid of the job's process, which keeps it locked; -d needs one."
    )
    logfile: FileName = Field(default="", description="Log file; default in a fleet: log/<job_name>.log.")
    log_size: ByteSize = Field(
        default=ByteSize(10485760),
        ge=0,
        description="Size at which the log is rotated, in bytes or such as 10 MB; 0: never.",
    )
    log_count: int = Field(default=3, ge=0, description="Rotated logs to keep; 0: no rotation.")
    log_format: Literal["text", "json"] = Field(
        default="text",
        description="Format of the log file; json: one object per line, and logfmt_* have no effect.",
    )
    logfmt_file: str = Field(
        default=DEFAULT_FORMAT, description="Format of a line of the log file, as of Python's logging."
    )
    logdatefmt_file: str = Field(
        default="", description="Format of the time in the log file, as of strftime."
    )
    logfmt_file_verbose: str = Field(default="", description="The same with -v; empty: logfmt_file.")
    logdatefmt_file_verbose: str = Field(default="", description="The same with -v; empty: logdatefmt_file.")
    logfmt_console: str = Field(default=DEFAULT_FORMAT, description="Format of a line on the console.")
    logdatefmt_console: str = Field(default="", description="Format of the time on the console.")
    logfmt_console_verbose: str = Field(default="", description="The same with -v; empty: logfmt_console.")
    logdatefmt_console_verbose: str = Field(
        default="", description="The same with -v; empty: logdatefmt_console."
    )
    use_skylog: int = Field(
        default=0,
        ge=0,
        le=2,
        description="Configure logging from a file, see skylog_locations: 1 unless on a terminal, 2 always.",
    )
    skylog_locations: str = Field(
        default="skylog.ini, ~/.skylog.ini, /etc/skylog.ini",
        description="Where to look for that file, as of Python's logging.config; the first one counts.",
    )
    disabled: bool = Field(default=False, description="1: the job is listed, but never started.")
    autostart: bool = Field(
        default=True, description="0: the job starts only when somebody asks, not with the fleet."
    )
    priority: int = Field(
        default=100, description="Jobs with a lower number are started first and stopped last."
    )
    config_format: Literal[1, 2] = Field(
        default=1, description="2: references are written ${name}, not %(name)s."
    )

    service_name: str | None = _without_effect("the section header names the job type")

    @field_validator("job_name")
    @classmethod
    def _names_a_log(cls, value: str) -> str:
        if not _NAME.fullmatch(value):
            raise ValueError("must be of letters, digits and _ ~ . @ : + = , -, and not begin with . or -")
        if value in RESERVED:
            raise ValueError(
                f"must be none of {', '.join(sorted(RESERVED))}, which name the fleet's own logs"
            )
        return value

    def line_format(self, target: str, *, verbose: bool) -> LineFormat:
        """The format of lines that go to a ``file`` or to the ``console``."""
        formats = [getattr(self, f"{key}_{target}") for key in ("logfmt", "logdatefmt")]
        if verbose:
            formats = [
                getattr(self, f"{key}_{target}_verbose") or usual
                for key, usual in zip(("logfmt", "logdatefmt"), formats, strict=True)
            ]
        line, time = formats
        return LineFormat(line, time, json=target == "file" and self.log_format == "json")

    @field_validator("config_format", mode="before")
    @classmethod
    def _read_number(cls, value: object) -> object:
        # A Literal of numbers does not convert the strings that ini files consist of.
        return {"1": 1, "2": 2}.get(value, value) if isinstance(value, str) else value

    @field_validator("logfile")
    @classmethod
    def _in_a_directory(cls, value: str) -> str:
        folder = Path(value).parent
        if value and not folder.is_dir():
            raise ValueError(f"must be in a directory that exists; {folder} does not")
        return value

    @field_validator("logfmt_file", "logfmt_file_verbose", "logfmt_console", "logfmt_console_verbose")
    @classmethod
    def _formats(cls, value: str) -> str:
        try:
            value % _SAMPLE
        except KeyError as error:
            raise ValueError(f"must be a format of a log line; there is no {error.args[0]} in it") from error
        except (ValueError, TypeError) as error:
            raise ValueError(f"must be a format of a log line: {error}") from error
        if value and "%(" not in value:
            raise ValueError("must be a format of a log line, with at least one %(…) such as %(message)s")
        return value


_NAME = re.compile(r"[\w~@:+=,][\w~.@:+=,-]*")
"""Fit for a log's name, a shell's word and a cell of a table."""

_SAMPLE = dict.fromkeys(
    "asctime levelname message name filename funcName module pathname processName threadName hostname "
    "job_name service_name exc_text".split(),
    "",
) | dict.fromkeys("created msecs relativeCreated lineno levelno process thread".split(), 0)
"""Names that a format may use: the attributes of logging.LogRecord, and our own."""
