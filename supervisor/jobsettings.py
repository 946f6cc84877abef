"""The keys of a job's section that the supervisor reads itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

DEFAULT_FORMAT = "%(asctime)s %(process)s %(levelname)s %(message)s"
"""Log line of the original program, for people grep it."""


RESERVED = frozenset({"tdsup", "tdsup-web"})
"""Names of the master's and the web child's logs; a job of that name would rotate them away."""


def _expand(name: str) -> str:
    """Expand ``~`` in a file name."""
    return str(Path(name).expanduser()) if name else ""


def _moot(reason: str, default: object = None) -> Any:
    return Field(default=default, json_schema_extra={"moot": reason})


_CONSOLE = "a supervised job has no console"
_VERBOSE = "there is one level of verbosity"

FileName = Annotated[str, AfterValidator(_expand)]


class JobSettings(BaseModel):
    """What the host of a job has to know; names and defaults are the original program's."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    job_name: str = Field(
        min_length=1,
        description="Name of the job; default: base name of the file.",
    )
    pidfile: FileName = Field(
        default="", description="File for the pid of a single daemon; a fleet needs none."
    )
    logfile: FileName = Field(default="", description="Log file; default in a fleet: log/<job_name>.log.")
    log_size: int = Field(
        default=10485760, ge=0, description="Size in bytes at which the log is rotated; 0: never."
    )
    log_count: int = Field(default=3, ge=0, description="Rotated logs that are kept; 0: no rotation.")
    logfmt_file: str = Field(default=DEFAULT_FORMAT, description="Log line, as Python's logging formats it.")
    logdatefmt_file: str = Field(default="", description="Time in a log line, as strftime formats it.")
    disabled: bool = Field(default=False, description="The job is listed, but not started.")
    config_format: Literal[1, 2] = Field(
        default=1, description="2: references are ${name} instead of %(name)s."
    )

    use_skylog: int = _moot("logs go to the job's log file", 0)
    skylog_locations: str | None = _moot("logs go to the job's log file")
    logfmt_console: str | None = _moot(_CONSOLE)
    logdatefmt_console: str | None = _moot(_CONSOLE)
    logfmt_file_verbose: str | None = _moot(_VERBOSE)
    logdatefmt_file_verbose: str | None = _moot(_VERBOSE)
    logfmt_console_verbose: str | None = _moot(_VERBOSE)
    logdatefmt_console_verbose: str | None = _moot(_VERBOSE)
    service_name: str | None = _moot("the section header names the job type")

    @field_validator("job_name")
    @classmethod
    def _names_a_log(cls, value: str) -> str:
        if "/" in value or not value.isprintable() or value != value.strip():
            raise ValueError("names the log too: no slash, control character or outer space")
        if value in RESERVED:
            raise ValueError("is a name that the fleet itself logs under")
        return value

    @field_validator("config_format", mode="before")
    @classmethod
    def _read_number(cls, value: object) -> object:
        # A Literal of numbers does not convert the strings that ini files consist of.
        return int(value) if isinstance(value, str) and value.isdigit() else value

    @field_validator("logfile")
    @classmethod
    def _in_a_directory(cls, value: str) -> str:
        folder = Path(value).parent
        if value and not folder.is_dir():
            raise ValueError(f"the directory {folder} does not exist")
        return value

    @field_validator("logfmt_file")
    @classmethod
    def _formats(cls, value: str) -> str:
        try:
            value % _SAMPLE
        except (KeyError, ValueError, TypeError) as error:
            raise ValueError(f"no format of a log line: {error}") from error
        return value


_SAMPLE = dict.fromkeys(
    "asctime levelname message name filename funcName module pathname processName threadName hostname "
    "job_name service_name exc_text".split(),
    "",
) | dict.fromkeys("created msecs relativeCreated lineno levelno process thread".split(), 0)
"""Names that a format may use, as of logging.LogRecord."""
