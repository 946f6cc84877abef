"""A job that runs in this process, without a master."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path

from .. import logs
from ..config import JobConfig, load_only_job
from ..errors import ConfigError, TdsupError
from ..exits import Exit
from .channel import Sender
from .context import WorkerContext
from .lifeline import Lifeline
from .pidfile import PidFile
from .setup import open_logs, set_up
from .worker import End, work


class StandaloneJob:
    """A job that runs in this process.

    Args:
        path: the job's file.
        overrides: values of keys; they replace the file's, after a reload too.
        level: of the log.
        console: whether to log to stderr; else stdout and stderr go to the job's log.

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
        self._pidfile = PidFile("")
        self._context: WorkerContext | None = None

    def run(self, ready: Callable[[], None]) -> End:
        """Work until the job ends, over any number of reloads.

        Args:
            ready: called when the work has begun.

        Raises:
            AlreadyRunning: another process has the pid file.
            TdsupError: the pid file or a log cannot be opened.
        """
        try:
            self._pidfile = self._set_up(self.file)
            Lifeline(
                logging.getLogger(),
                master=None,
                stop=self._stop,
                reload=self._reload,
                terminate=self._release if self._pidfile.path else None,
            ).start()
            while True:
                end = self._work(ready)
                if self._next is None or self._stopping or end.code != Exit.OK:
                    return end
                self._take_up(self._next)
        finally:
            self._pidfile.release()

    def _work(self, ready: Callable[[], None]) -> End:
        sender = Sender(None)
        self._context = WorkerContext(logging.getLogger(self.file.name), sender, ready)
        if self._stopping or self._next is not None:
            # Asked for between two contexts.
            self._context.stop()
        return work(self.file, self._context, sender)

    def _take_up(self, file: JobConfig) -> None:
        """Go on with another file; if its pid file or logs cannot be had, with the present one."""
        self._next = None
        held, logger = self._pidfile, logging.getLogger(file.name)
        try:
            self._pidfile = self._set_up(file, held)
        except TdsupError as error:
            open_logs(self.file, _log(self.file), self._level, console=self._console)
            logger.error("Config not reloaded: %s", error)  # noqa: TRY400 (one line for a person)
            return
        self.file = file
        if self._pidfile is not held:
            held.release()
        logger.info("Config reloaded")

    def _set_up(self, file: JobConfig, held: PidFile | None = None) -> PidFile:
        pidfile = set_up(file, _log(file), self._level, console=self._console, held=held)
        logs.tell(file.name, file.warnings)
        return pidfile

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

    def _release(self) -> None:
        """Leave no pid file behind; which one it is may have changed by a reload."""
        self._pidfile.release()


def _log(file: JobConfig) -> Path | None:
    """The job's log, if its file names one."""
    return Path(file.host.logfile) if file.host.logfile else None
