"""What a job's process needs before it works: the job's pid file and its logs."""

from __future__ import annotations

import logging
from pathlib import Path

from .. import logs
from ..config import FleetSettings, JobConfig
from ..errors import AlreadyRunning, TdsupError
from ..files import make_private
from ..lineformat import Names
from . import skylog
from .pidfile import PidFile

Log = Path | logs.Stream
"""Where a job logs to."""


def redirect(file: JobConfig, log: Log) -> None:
    """Send stdout and stderr to the log of a job in a fleet; the fleet's own folder for logs is made.

    They stay where they are if the log is no file.

    Raises:
        TdsupError: the log cannot be opened.
    """
    if not isinstance(log, Path):
        return
    try:
        if not file.host.logfile:
            make_private(log.parent)
        logs.redirect(log)
    except OSError as error:
        raise _cannot_open(file, "logfile", str(log), error) from error


def set_up(
    file: JobConfig, log: Log | None, level: int, *, console: bool, held: PidFile | None = None
) -> PidFile:
    """Take a job's pid file and open its logs, in place of those that it had before a reload.

    Args:
        file: the job's.
        log: where it logs to, if it has a log.
        level: of the logs.
        console: whether to log to stderr too; without a console, stdout and stderr go to the log file.
        held: the pid file from before a reload; kept if the job still names it, and never released here.

    Returns:
        The pid file; it is held if the job names one.

    Raises:
        AlreadyRunning: another process holds the pid file.
        ConfigError: the ``skylog.ini`` that the job names cannot be used.
        TdsupError: the pid file or the log cannot be opened.
    """
    pidfile = held if held is not None and held.path == file.host.pidfile else _take(file)
    try:
        open_logs(file, log, level, console=console)
    except TdsupError:
        if pidfile is not held:
            pidfile.release()
        raise
    return pidfile


def open_logs(file: JobConfig, log: Log | None, level: int, *, console: bool) -> None:
    """Open the logs alone; see `set_up`."""
    verbose = level == logging.DEBUG
    names = Names(file.name, file.section)
    wants_skylog = skylog.is_wanted(file)
    logs.drop_all()
    try:
        if wants_skylog:
            skylog.configure(file)
        elif console:
            logs.add_stderr(file.host.line_format("console", verbose=verbose), names)
        host, line_format = file.host, file.host.line_format("file", verbose=verbose)
        if isinstance(log, logs.Stream):
            logs.add_stream(log, names)
        elif log is not None:
            logs.add_file(log, host.log_size, host.log_count, not console, line_format, names)
    except OSError as error:
        raise _cannot_open(file, "logfile", str(log), error) from error
    if not wants_skylog or level != logging.INFO:
        logs.set_level(level)


def open_log_of_child(name: str, settings: FleetSettings) -> None:
    """Open the log of a child that runs no job; it is called by the child's name.

    Raises:
        OSError: it cannot be opened.
    """
    if settings.stream is None:
        path = Path(settings.log).with_name(f"{name}.log")
        logs.add_file(path, settings.log_size, settings.log_count, True, settings.line_format)
    else:
        logs.add_stream(settings.stream, Names(name))


def _take(file: JobConfig) -> PidFile:
    pidfile = PidFile(file.host.pidfile)
    try:
        if pidfile.path:
            pidfile.take()
    except AlreadyRunning as error:
        raise AlreadyRunning(f"cannot start {file.name}: {error}") from error
    except OSError as error:
        raise _cannot_open(file, "pidfile", pidfile.path, error) from error
    return pidfile


def _cannot_open(file: JobConfig, key: str, path: str, error: OSError) -> TdsupError:
    return TdsupError(f"cannot load {file.path}: {file.place(key)}: {error.strerror}: {path}")
