"""A job that runs in this process, without a master."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path

from .. import logs
from ..config import JobConfig, load_only_job
from ..errors import AlreadyRunning, ConfigError, TdsupError
from ..exits import Exit
from . import skylog
from .channel import Sender
from .lifeline import Lifeline
from .pidfile import PidFile
from .worker import End, WorkerContext, open_log, work

IDLE = 3600.0
"""Seconds between signs of life, which nobody here looks for."""


class Single:
    """A job that runs in this process.

    Args:
        path: the job's file.
        overrides: values of keys that count instead of the file's, also after a reload.
        level: of the log.
        console: whether there is one; else stdout and stderr go to the job's log.

    Attributes:
        file: what it runs.

    Raises:
        ConfigError: the file cannot run.
    """

    def __init__(self, path: str, overrides: Mapping[str, str], level: int, *, console: bool) -> None:
        self._path = path
        self._overrides = overrides
        self._level = level
        self._console = console
        self.file = load_only_job(path, overrides)
        self._next: JobConfig | None = None
        self._stopping = False
        self._pidfile = PidFile(self.file.host.pidfile)
        self._context: WorkerContext | None = None

    def run(self, ready: Callable[[], None]) -> End:
        """Work until the job ends, over as many reloads as come.

        Args:
            ready: called when the work has begun.

        Raises:
            AlreadyRunning: another process has the pid file.
            ConfigError: a log cannot be opened.
        """
        _take(self._pidfile, self.file)
        try:
            self._open_logs()
            sender = Sender(None)
            terminate = self._abandon if self._pidfile.path else None
            Lifeline(
                None, IDLE, sender.beat, self._stop, logging.getLogger(), self._reload, terminate
            ).start()
            while True:
                end = self._work(sender, ready)
                if self._next is None or self._stopping or end.code != Exit.OK:
                    return end
                self._take_up(self._next)
        finally:
            self._pidfile.release()

    def _work(self, sender: Sender, ready: Callable[[], None]) -> End:
        self._context = WorkerContext(logging.getLogger(self.file.name), sender, ready)
        if self._stopping or self._next is not None:
            # Asked for between two contexts.
            self._context.stop()
        return work(self.file, self._context, sender)

    def _take_up(self, file: JobConfig) -> None:
        """Go on with another file; if its pid file or logs cannot be had, with the one from before."""
        before, self._next = self.file, None
        moved = file.host.pidfile != before.host.pidfile
        pidfile = PidFile(file.host.pidfile) if moved else self._pidfile
        logger = logging.getLogger(file.name)
        try:
            if moved:
                _take(pidfile, file)
            self.file = file
            self._open_logs()
        except TdsupError as error:
            if moved:
                pidfile.release()
            self.file = before
            self._open_logs()
            logger.error("Config not reloaded: %s", error)  # noqa: TRY400 (one line for a person)
            return
        if moved:
            self._pidfile.release()
            self._pidfile = pidfile
        logger.info("Config reloaded")

    def _open_logs(self) -> None:
        """Log to the places that the file names, and to the console; then tell the file's warnings."""
        file, host = self.file, self.file.host
        verbose = self._level == logging.DEBUG
        logs.drop_all()
        wants_skylog = skylog.is_wanted(file)
        if wants_skylog:
            skylog.configure(file)
        elif self._console:
            logs.add_stderr(host.layout("console", verbose=verbose), logs.Names(file.name, file.section))
        if host.logfile:
            try:
                open_log(file, Path(host.logfile), redirect=not self._console, verbose=verbose)
            except OSError as error:
                reason = f"[{file.section}] logfile: {error.strerror}: {host.logfile}"
                raise ConfigError(f"cannot load {file.path}: {reason}") from error
        if not wants_skylog or self._level != logging.INFO:
            logs.set_level(self._level)
        logs.tell(file.name, file.warnings)

    # Called by the lifeline's thread.

    def _stop(self) -> None:
        self._stopping = True
        if self._context is not None:
            self._context.stop()

    def _reload(self) -> None:
        """Validate, then swap at the batch's end."""
        logger = logging.getLogger(self.file.name)
        try:
            self._next = load_only_job(self._path, self._overrides)
        except ConfigError as error:
            for line in error.lines:
                logger.error("Config not reloaded: %s", line)  # noqa: TRY400 (one line for a person)
            return
        if self._context is not None:
            self._context.stop()

    def _abandon(self) -> None:
        """End without more ado, but leave no pid file."""
        self._pidfile.release()


def _take(pidfile: PidFile, file: JobConfig) -> None:
    try:
        if pidfile.path:
            pidfile.take()
    except AlreadyRunning as error:
        raise AlreadyRunning(f"cannot start {file.name}: {error}") from error
    except OSError as error:
        reason = f"[{file.section}] pidfile: {error.strerror}: {pidfile.path}"
        raise ConfigError(f"cannot load {file.path}: {reason}") from error
