"""The process of one job: its log, its lifeline, its job type's work, its exit status."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import logs
from .channel import Sender
from .exits import Exit
from .jobfile import JobFile
from .lifeline import Lifeline
from .redact import redact


class WorkerContext:
    """What a job may ask of its host; implements `jobtype.Context`."""

    def __init__(self, logger: logging.Logger, sender: Sender) -> None:
        self.logger = logger
        self._sender = sender
        self._stop = threading.Event()

    def report(self, snapshot: Mapping[str, Any]) -> None:
        """Publish the job's numbers and condition."""
        self._sender.snapshot(snapshot["condition"], snapshot.get("reason", ""), snapshot.get("values", {}))

    def stopping(self) -> bool:
        """Whether the job has been asked to end."""
        return self._stop.is_set()

    def wait(self, seconds: float) -> bool:
        """Sleep that long or until asked to end."""
        return self._stop.wait(max(0.0, seconds))

    def stop(self) -> None:
        """Ask the job to end."""
        self._stop.set()


def run_worker(file: JobFile, channel: socket.socket) -> int:
    """Be the process of a job in a fleet; returns the exit status."""
    sender = Sender(channel)
    try:
        open_log(file, file.log_path, redirect=True)
    except OSError as error:
        sender.farewell(f"cannot open the log {file.log_path}: {error.strerror}")
        return Exit.FAILED
    return run_job(file, channel, sender)


def open_log(file: JobFile, path: Path, redirect: bool) -> None:
    """Log to a file as the job's own file says.

    Args:
        file: the job's.
        path: the log.
        redirect: let stdout and stderr go there too.

    Raises:
        OSError: the log cannot be opened.
    """
    logs.add_file(
        path,
        file.host.log_size,
        file.host.log_count,
        redirect,
        line_format=file.host.logfmt_file,
        time_format=file.host.logdatefmt_file,
        name=file.name,
        service=file.section,
    )


def run_job(file: JobFile, channel: socket.socket | None, sender: Sender) -> int:
    """Let the job type work until it ends; returns the exit status. Logs are set up already."""
    logger = logging.getLogger(file.name)
    context = WorkerContext(logger, sender)
    lifeline = Lifeline(channel, sender.beat, context.stop, logger)
    lifeline.start()
    try:
        sender.hello(file.job_type.metrics, file.job_type.labels(file.settings))
        file.job_type.run(file.settings, context)
    except Exception as error:
        line = explain(error, file.name)
        logger.error("%s", line)  # noqa: TRY400 (one line for a person; the traceback is at debug level)
        logger.debug("cannot run %s", file.name, exc_info=True)
        sender.farewell(line)
        code = getattr(error, "exit_code", Exit.FAILED)
        return code if isinstance(code, int) else Exit.FAILED
    sender.farewell("ended by SIGINT" if lifeline.interrupted is not None else "")
    return Exit.OK


def explain(error: Exception, job: str) -> str:
    """One line for a person: the error's own text, with the type of a builtin error."""
    text = redact(" ".join(str(error).split()))
    name = type(error).__name__
    if text and type(error).__module__ != "builtins":
        return text
    return f"cannot run {job}: {name}: {text}" if text else f"cannot run {job}: {name}"
