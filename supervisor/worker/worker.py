"""The process of one job: its log, its pid file, its lifeline, its job type's work, its exit status."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from tdsup.jobtype import Board, Snapshot

from .. import logs
from ..config import JobConfig
from ..errors import AlreadyRunning, ConfigError
from ..exits import Exit
from ..redact import redact
from . import skylog
from .channel import Sender
from .lifeline import Lifeline
from .pidfile import PidFile
from .processmetrics import PROCESS_METRICS, process_values


@dataclass(frozen=True, slots=True)
class End:
    """How the work of a job ended.

    Attributes:
        code: exit status.
        reason: why, in one line; empty if it is done or was asked to end.
    """

    code: int
    reason: str = ""


class WorkerContext:
    """What a job may ask of its host; implements the contract's `Context`.

    Args:
        logger: where the job's messages go.
        sender: takes its reports.
        ready: called at each report; the first one shows that the job has begun.
        board: numbers that the jobs of a fleet share.
    """

    def __init__(
        self, logger: logging.Logger, sender: Sender, ready: Callable[[], None], board: Board | None = None
    ) -> None:
        self.logger = logger
        self.board = board
        self._sender = sender
        self._ready = ready
        self._reported: Snapshot | None = None
        self._lock = threading.Lock()
        self._stop = threading.Event()

    def report(self, snapshot: Snapshot) -> None:
        """Publish the job's numbers and condition."""
        with self._lock:
            if snapshot == self._reported:
                return
            self._reported = snapshot
            self._send(snapshot)
        self._ready()

    def beat(self) -> None:
        """Show that the process lives, with its present numbers; called in the lifeline's thread."""
        # Under the lock, lest an older snapshot arrive after a newer one and counters seem to fall.
        with self._lock:
            if self._reported is not None:
                self._send(self._reported)
            else:
                self._sender.beat()

    def _send(self, snapshot: Snapshot) -> None:
        self._sender.snapshot(replace(snapshot, values={**snapshot.values, **process_values()}))

    def stopping(self) -> bool:
        """Whether the job has been asked to end."""
        return self._stop.is_set()

    def wait(self, seconds: float) -> bool:
        """Sleep that long or until asked to end."""
        return self._stop.wait(max(0.0, seconds))

    def stop(self) -> None:
        """Ask the job to end."""
        self._stop.set()


def run_worker(file: JobConfig, board: Board, beat: float, channel: socket.socket) -> int:
    """Be the process of a job in a fleet; returns the exit status.

    Args:
        file: the job's.
        board: numbers that the jobs of the fleet share.
        beat: seconds between signs of life.
        channel: to the master.
    """
    sender = Sender(channel)
    pidfile = PidFile(file.host.pidfile)
    try:
        # First of all: whatever C code or Python says on its way down belongs to the job.
        if not file.host.logfile:
            file.log_path.parent.mkdir(exist_ok=True)
        logs.redirect(file.log_path)
        if pidfile.path:
            pidfile.take()
        if skylog.is_wanted(file):
            skylog.configure(file)
        else:
            logs.set_level(logging.INFO)
        open_log(file, file.log_path, redirect=True)
    except AlreadyRunning as error:
        sender.farewell(f"cannot start {file.name}: {error}")
        return Exit.FAILED
    except ConfigError as error:
        sender.farewell(str(error))
        return Exit.SETUP
    except OSError as error:
        sender.farewell(f"cannot open the log or pid file {error.filename}: {error.strerror}")
        return Exit.FAILED
    logger = logging.getLogger(file.name)
    context = WorkerContext(logger, sender, lambda: None, board)
    terminate = pidfile.release if pidfile.path else None
    lifeline = Lifeline(channel, beat, context.beat, context.stop, logger, sender.reload, terminate)
    lifeline.start()
    end = work(file, context, sender)
    sender.farewell(end.reason or ("ended by SIGINT" if lifeline.interrupted is not None else ""))
    pidfile.release()
    return end.code


def open_log(file: JobConfig, path: Path, *, redirect: bool, verbose: bool = False) -> None:
    """Log to a file as the job's own file says.

    Args:
        file: the job's.
        path: the log.
        redirect: let stdout and stderr go there too.
        verbose: use the formats for that.

    Raises:
        OSError: the log cannot be opened.
    """
    host = file.host
    layout = host.layout("file", verbose=verbose)
    logs.add_file(path, host.log_size, host.log_count, redirect, layout, logs.Names(file.name, file.section))


def work(file: JobConfig, context: WorkerContext, sender: Sender) -> End:
    """Let the job type work until it ends. Logs are set up already."""
    try:
        sender.hello([*PROCESS_METRICS, *file.job_type.metrics], file.job_type.labels(file.settings))
        file.job_type.run(file.settings, context)
    except Exception as error:
        line = explain(error, file.name)
        context.logger.error("%s", line)  # noqa: TRY400 (one line for a person; the traceback is at debug level)
        context.logger.debug("cannot run %s", file.name, exc_info=True)
        code = getattr(error, "exit_code", Exit.FAILED)
        return End(code if isinstance(code, int) else Exit.FAILED, line)
    return End(Exit.OK)


def explain(error: Exception, job: str) -> str:
    """One line for a person: the error's own text, with the type of a builtin error."""
    text = redact(" ".join(str(error).split()))
    name = type(error).__name__
    if text and type(error).__module__ != "builtins":
        return text
    return f"cannot run {job}: {name}: {text}" if text else f"cannot run {job}: {name}"
