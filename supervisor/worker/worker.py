"""The process of one job in a fleet, and the work of its job type."""

from __future__ import annotations

import logging
import socket
from dataclasses import dataclass

from tdsup.jobtype import brief

from ..config import JobConfig
from ..errors import ConfigError, TdsupError
from ..exits import Exit
from ..redact import redact
from .channel import Sender
from .context import Start, Surroundings, WorkerContext
from .lifeline import Heartbeat, Lifeline
from .processmetrics import PROCESS_METRICS
from .setup import redirect, set_up


@dataclass(frozen=True, slots=True)
class End:
    """How the work of a job ended.

    Attributes:
        code: exit status.
        reason: why, in one line; empty if it is done or was asked to end.
    """

    code: int
    reason: str = ""


def run_worker(file: JobConfig, surroundings: Surroundings, start: Start, channel: socket.socket) -> int:
    """Be the process of a job in a fleet; returns the exit status.

    Args:
        file: the job's.
        surroundings: what it has in common with the others.
        start: how this process came to be.
        channel: to the master.
    """
    sender = Sender(channel)
    try:
        # First of all: whatever C code or Python says from now on belongs to the job.
        log = surroundings.stream or file.log_path
        redirect(file, log)
        pidfile = set_up(file, log, logging.INFO, console=False)
    except TdsupError as error:
        sender.farewell(str(error))
        return Exit.SETUP if isinstance(error, ConfigError) else Exit.FAILED
    logger = logging.getLogger(file.name)
    context = WorkerContext(logger, sender, lambda: None, start, surroundings.beat)
    lifeline = Lifeline(
        logger,
        Heartbeat(channel, surroundings.beat, context.beat, context.hear),
        stop=context.stop,
        reload=sender.reload,
        terminate=pidfile.release if pidfile.path else None,
    )
    context.wake = lifeline.wake
    lifeline.start()
    end = work(file, context, sender)
    sender.farewell(end.reason or ("ended by SIGINT" if lifeline.interrupted is not None else ""))
    pidfile.release()
    return end.code


def work(file: JobConfig, context: WorkerContext, sender: Sender) -> End:
    """Let the job type work until it ends. Logs are open already."""
    try:
        sender.hello([*PROCESS_METRICS, *file.job_type.metrics], file.job_type.labels(file.settings))
        if file.job_type.about:
            context.logger.info("%s: %s", file.section, file.job_type.about)
        file.job_type.run(file.settings, context)
    except Exception as error:
        line = explain(error, file.name)
        context.logger.error("%s", line)  # noqa: TRY400 (one line for a person; the traceback is at debug level)
        context.logger.debug("cannot run %s", file.name, exc_info=True)
        code = getattr(error, "exit_code", Exit.FAILED)
        return End(code if isinstance(code, int) else Exit.FAILED, line)
    return End(Exit.OK)


def explain(error: Exception, job: str) -> str:
    """One line for a person: the error's own text; for a builtin error, with its type."""
    text = brief(redact(" ".join(str(error).split())))
    name = type(error).__name__
    if text and type(error).__module__ != "builtins":
        return text
    return f"cannot run {job}: {name}: {text}" if text else f"cannot run {job}: {name}"
