"""Becoming the master: what comes before and after the fleet's life in this process."""

from __future__ import annotations

import logging
import resource
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path

from setproctitle import setproctitle

from . import logs
from .config import FleetSettings
from .control import Lock
from .errors import TdsupError
from .exits import Exit
from .files import make_private
from .loop import Loop
from .master import Master
from .web import run_web

_log = logging.getLogger("tdsup")


def run_service(settings: FleetSettings, ready: Callable[[], None], foreground: bool) -> int:
    """Run a fleet in this process, from its lock to its last log line.

    Args:
        settings: the fleet's settings; its directory is the working directory.
        ready: called when the control socket answers.
        foreground: also log to stderr.

    Raises:
        AlreadyRunning: another master runs this fleet.
        TdsupError: a directory, file or socket of the fleet cannot be made.
    """
    # Whoever started this process may have ignored it, and the kernel would keep no exit status of a child.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _raise_descriptor_limit()
    path = settings.log
    folders = [] if settings.stream else [Path(settings.log).parent]
    try:
        for folder in (*folders, Path(settings.socket).parent):
            make_private(folder)
        path = settings.lock
        lock = Lock(settings.lock)
        path = settings.log
        logs.set_level(logging.INFO)
        _log_to(settings, foreground)
        setproctitle("tdsup: master")
        path = settings.socket
        master = Master(settings, Loop(), partial(run_web, settings), lock)
    except OSError as error:
        raise TdsupError(f"cannot start the fleet: {error.filename or path}: {error.strerror}") from error
    try:
        master.run(ready)
    finally:
        lock.release()
    return Exit.OK


def _log_to(settings: FleetSettings, foreground: bool) -> None:
    if settings.stream is None:
        path, line_format = Path(settings.log), settings.line_format
        logs.add_file(path, settings.log_size, settings.log_count, not foreground, line_format)
        if foreground:
            logs.add_stderr()
    elif settings.log_to == "stdout" and not foreground:
        raise TdsupError("cannot start the fleet: log_to says stdout, which a daemon has not; leave out -d")
    else:
        logs.add_stream(settings.stream)


def _raise_descriptor_limit() -> None:
    """Each job takes four descriptors of the master, which soon reaches the usual soft limit of 1024."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (ValueError, OSError) as error:
        _log.debug("cannot raise the limit of open descriptors: %s", error)
