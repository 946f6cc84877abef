"""What ``table_dispatcher`` does with one job's file."""

from __future__ import annotations

import argparse
import logging
import os
import signal
from collections.abc import Callable

from .. import logs
from ..config import HEADLESS, find_job_type, load_only_job, pidfile_of, sample
from ..errors import ConfigError, TdsupError
from ..exits import Exit, of_single
from ..worker import PidFile, StandaloneJob
from .acting.perform import perform
from .daemon import detach
from .speech import complain

SIGNALS = {"reload": signal.SIGHUP, "stop": signal.SIGINT, "kill": signal.SIGTERM}
"""The signal for a running process, by switch."""

ACTIONS = ("register", "unregister", "rewind", "reset")
"""Actions of the job type that have their own switch."""


def print_sample() -> None:
    """Print a file with every key."""
    print(sample(HEADLESS, find_job_type(HEADLESS)), end="")  # noqa: T201 (a program speaks to its user)


def run(options: argparse.Namespace) -> int:
    """Run the job, signal the process that does, or carry out an action; returns the exit status."""
    overrides, mode = dict(options.overrides), options.mode
    if mode in SIGNALS:
        return _signal(*pidfile_of(options.ini, overrides), SIGNALS[mode])
    level = logging.DEBUG if options.verbose else logging.WARNING if options.quiet else logging.INFO
    if mode in ACTIONS:
        file = load_only_job(options.ini, overrides)
        logs.add_stderr(file.host.line_format("console", verbose=bool(options.verbose)))
        logs.set_level(level)
        return perform(file, mode)
    job = StandaloneJob(options.ini, overrides, level, console=mode != "daemon")
    if mode != "daemon":
        return of_single(job.run(lambda: None).code)
    file = job.file
    if not file.host.pidfile:
        raise ConfigError(f"cannot start {file.name} as a daemon: Daemon needs pidfile")

    def live(ready: Callable[[], None]) -> int:
        end = job.run(ready)
        if end.code != Exit.OK:
            raise TdsupError(end.reason)
        return Exit.OK

    return detach(file.name, live)


def _signal(job: str, path: str, number: signal.Signals) -> int:
    """Send a signal to the process that holds the job's pid file, in a fleet or not."""
    if not path:
        raise ConfigError(f"cannot signal {job}: its file names no pidfile")
    try:
        owner = PidFile(path).owner()
    except OSError as error:
        raise ConfigError(f"cannot signal {job}: {error.strerror}: {path}") from error
    if owner is None:
        complain(f"{job} does not run")
        return Exit.OK
    try:
        os.kill(owner, number)
    except ProcessLookupError:
        return Exit.OK
    except OSError as error:
        raise TdsupError(f"cannot signal {job}: pid {owner}: {error.strerror}") from error
    return Exit.OK
