"""The settings of a fleet: ``tdsup.yaml``, which may be absent."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from ..errors import ConfigError
from ..lineformat import LineFormat
from ..logs import Stream
from ..protocol import FILE, JOBS, SOCKET, lock_of, read_settings
from .jobsettings import JobSettings
from .jobtypes import job_types
from .options import Fault, known_keys, read, unknown_key

SOCKET_PATH_LIMIT = 107
"""Longest path of a unix socket on Linux, in bytes (``sun_path`` without its final zero, unix(7))."""

DAY = 86400
"""Longest wait that makes sense, in seconds."""


LIVE = frozenset({"jobs", "tickers", "defaults", "skylog", "watch"})
"""Keys that a reload takes up."""


class FleetSettings(BaseModel):
    """What holds for all jobs of a fleet. Relative paths are relative to the fleet's directory."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    jobs: list[str] = Field(
        default=[f"{JOBS}/*.ini"],
        min_length=1,
        validation_alias=AliasChoices("jobs", "config_list"),
        description="Globs of the job files: a list, or one line separated by commas.",
    )
    tickers: dict[str, dict[str, str]] = Field(
        default={},
        description="Tickers, for PgQ that nobody else ticks: by the name of each, its keys; see below.",
    )
    defaults: dict[str, str] = Field(
        default={}, description="Values by key, for jobs and tickers that do not set that key."
    )
    skylog: bool = Field(
        default=True,
        description="Let a skylog.ini configure the log of jobs that ask for it (use_skylog); false: they "
        "cannot run.",
    )
    watch: bool = Field(
        default=False, description="Reload when files have changed and then stayed the same for 2 s."
    )
    socket: str = Field(default=SOCKET, description="Control socket.")
    socket_group: str = Field(
        default="",
        description="Group whose members may use all commands, too; the fleet's account must be one of them.",
    )
    socket_readers: str = Field(
        default="", description="Group whose members may use the commands that change nothing."
    )
    state: str = Field(
        default="state", description="Folder for what outlives a restart: the jobs of `pause --keep`."
    )
    web: str = Field(
        default="127.0.0.1:9867",
        description="Address of the status page and of /metrics; port 0: any free port.",
    )
    web_hosts: list[str] = Field(
        default=[],
        description="Names by which browsers and Prometheus may call the status page, besides IP addresses, "
        "localhost and the machine's own names.",
    )
    web_read_file: str = Field(
        default="",
        description="File with what reading requires, TOKEN or USER:PASSWORD; empty: nothing. /healthz and "
        "/readyz are open to all.",
    )
    web_token_file: str = Field(
        default="",
        description="File with the token that actions on the status page require; empty: no actions.",
    )
    web_cert: str = Field(default="", description="Certificate (PEM, with its chain) for HTTPS; empty: HTTP.")
    web_key: str = Field(
        default="", validate_default=True, description="Private key (PEM) of the certificate."
    )
    log_to: Literal["files", "stdout", "journald"] = Field(
        default="files",
        description="Where everything is logged: to files, each job to its own; or all of it to stdout or to "
        "journald, and what job files say of their logs has no effect.",
    )
    log: str = Field(default="log/tdsup.log", description="Log of the master.")
    log_size: int = Field(
        default=10485760, ge=0, description="Size in bytes at which the master's log is rotated; 0: never."
    )
    log_count: int = Field(default=3, ge=0, description="Rotated logs of the master to keep; 0: no rotation.")
    log_format: Literal["text", "json"] = Field(
        default="text",
        description="Format of the logs of the master and the web child, and of what goes to stdout; json: "
        "one object per line.",
    )
    backoff_first: float = Field(default=0.5, gt=0, le=DAY, description="Seconds before the first restart.")
    backoff_limit: float = Field(
        default=30.0, gt=0, le=DAY, description="Longest wait before a restart, in seconds."
    )
    backoff_reset: float = Field(
        default=30.0, ge=0, le=DAY, description="Seconds of healthy life after which the waits start over."
    )
    heartbeat_timeout: float = Field(
        default=30.0, gt=1, le=DAY, description="Seconds without a sign of life after which a job is killed."
    )
    stop_timeout: float = Field(default=30.0, ge=0, le=DAY, description="Seconds from SIGINT to SIGTERM.")
    kill_timeout: float = Field(default=5.0, ge=0, le=DAY, description="Seconds from SIGTERM to SIGKILL.")
    share_objects: bool = Field(
        default=True,
        description="Save memory: jobs share what the master has loaded, and do not count its use. It has "
        "an effect on Python 3.12 and 3.13 only.",
    )

    @field_validator("jobs", mode="before")
    @classmethod
    def _globs(cls, value: object) -> object:
        # scriptmgr's config_list is one line.
        if isinstance(value, str):
            return [glob.strip() for glob in value.split(",") if glob.strip()]
        return value

    @field_validator("defaults", mode="before")
    @classmethod
    def _as_in_an_ini_file(cls, value: object) -> object:
        return _as_section(value)

    @field_validator("tickers", mode="before")
    @classmethod
    def _as_in_ini_files(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        return {str(name): _as_section(keys) for name, keys in value.items()}

    @field_validator("socket")
    @classmethod
    def _short_enough(cls, value: str) -> str:
        if len(os.fsencode(value)) > SOCKET_PATH_LIMIT:
            raise ValueError(
                f"must have at most {SOCKET_PATH_LIMIT} bytes, the longest path of a unix socket"
            )
        return value

    @field_validator("web")
    @classmethod
    def _address(cls, value: str) -> str:
        host, colon, port = value.rpartition(":")
        if not (host and colon and port.isascii() and port.isdigit() and int(port) < 65536):
            raise ValueError("must be host:port")
        return value

    @field_validator("web_key")
    @classmethod
    def _both_or_none(cls, value: str, info: ValidationInfo) -> str:
        if bool(value) != bool(info.data.get("web_cert")):
            raise ValueError("must be set if web_cert is, and only then")
        return value

    @property
    def web_address(self) -> tuple[str, int]:
        """Host and port of the web child."""
        host, _, port = self.web.rpartition(":")
        return host.strip("[]"), int(port)

    @property
    def line_format(self) -> LineFormat:
        """Format of the logs of the master and the web child."""
        return LineFormat(json=self.log_format == "json")

    @property
    def stream(self) -> Stream | None:
        """Where all processes log to; None: to files of their own."""
        return None if self.log_to == "files" else Stream(self.log_to, self.line_format)

    @property
    def beat(self) -> float:
        """Seconds between two signs of life of a process; one of them may be late."""
        return self.heartbeat_timeout / 2

    @property
    def lock(self) -> str:
        """Lock file beside the control socket."""
        return lock_of(self.socket)


def _as_section(value: object) -> object:
    """Keys and values as the section of an ini file would have them."""
    if not isinstance(value, dict):
        return value
    return {str(key).lower(): _as_text(each) for key, each in value.items()}


def _as_text(value: object) -> object:
    """A value as an ini file would have it; what has no such form is left for the model to refuse."""
    if isinstance(value, bool):
        return str(int(value))
    return str(value) if isinstance(value, int | float) else value


def load_fleet() -> FleetSettings:
    """Read ``tdsup.yaml`` of the working directory; without it, every key has its default.

    Raises:
        ConfigError: with all faults of the file, one line each.
    """
    return _check(read_settings())


def _check(content: dict[str, Any]) -> FleetSettings:
    known = known_keys(FleetSettings)
    faults = [unknown_key(key, known) for key in content if key not in known]
    settings = read(FleetSettings, content)
    if isinstance(settings, FleetSettings):
        faults += [
            Fault(f"defaults.{fault.key}", fault.reason) for fault in _unknown_defaults(settings.defaults)
        ]
        faults += [fault for name in settings.tickers for fault in _unfit_name(name)]
    else:
        faults += settings
    if isinstance(settings, list) or faults:
        raise ConfigError(*(f"cannot load {FILE}: {fault.key}: {fault.reason}" for fault in faults))
    return settings


def _unknown_defaults(defaults: Mapping[str, str]) -> list[Fault]:
    """Keys of the fleet's defaults that no installed job type knows."""
    if not defaults:
        return []
    models = [JobSettings, *(job_type.settings for _name, job_type in job_types())]
    known = frozenset().union(*map(known_keys, models)) - {"job_name"}
    return [unknown_key(key, known) for key in defaults if key not in known]


def _unfit_name(name: str) -> list[Fault]:
    """Why a ticker cannot be called so."""
    found = read(JobSettings, {"job_name": name})
    return [Fault(f"tickers.{name}", fault.reason) for fault in found] if isinstance(found, list) else []


def require_jobs(settings: FleetSettings) -> None:
    """Refuse a directory without a fleet: it has no ``tdsup.yaml`` and no directory for job files.

    Raises:
        ConfigError: there is no fleet.
    """
    if Path(FILE).exists() or any(Path(pattern).parent.is_dir() for pattern in settings.jobs):
        return
    where = " ".join(settings.jobs)
    raise ConfigError(f"cannot find a fleet in {Path.cwd()}: neither {where} nor {FILE} is there")


def needing_a_start(started: FleetSettings, settings: FleetSettings) -> list[str]:
    """Keys of ``tdsup.yaml`` that have changed but are read only at a start, a line each."""
    return [
        f"{FILE}: {key}: takes effect when the fleet is started again"
        for key in FleetSettings.model_fields
        if key not in LIVE and getattr(settings, key) != getattr(started, key)
    ]
