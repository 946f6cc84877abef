"""``table_dispatcher``: one job as one process, with the switches of the original program."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from . import logs, skylog
from .action import perform
from .channel import Sender
from .commands import VERSION
from .daemon import detach
from .errors import AlreadyRunning, ConfigError, TdsupError
from .exits import Exit
from .jobfile import HEADLESS, JobFile, load_job_file, pidfile_of
from .jobtypes import find_job_type
from .lifeline import Lifeline
from .pidfile import PidFile
from .sample import sample
from .worker import End, WorkerContext, open_log, work

SIGNALS = {"reload": signal.SIGHUP, "stop": signal.SIGINT, "kill": signal.SIGTERM}
"""What is sent to a running process, by switch."""

IDLE = 3600.0
"""Seconds between signs of life, which nobody here looks for."""

ACTIONS = ("register", "unregister", "rewind", "reset")
"""Actions of the job type that have a switch of their own."""


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
        self.file = load_job_file(path, overrides)
        self._next: JobFile | None = None
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

    def _take_up(self, file: JobFile) -> None:
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
            self._next = load_job_file(self._path, self._overrides)
        except ConfigError as error:
            for line in error.lines:
                logger.error("Config not reloaded: %s", line)  # noqa: TRY400 (one line for a person)
            return
        if self._context is not None:
            self._context.stop()

    def _abandon(self) -> None:
        """End without more ado, but leave no pid file."""
        self._pidfile.release()


def _take(pidfile: PidFile, file: JobFile) -> None:
    try:
        if pidfile.path:
            pidfile.take()
    except AlreadyRunning as error:
        raise AlreadyRunning(f"cannot start {file.name}: {error}") from error
    except OSError as error:
        reason = f"[{file.section}] pidfile: {error.strerror}: {pidfile.path}"
        raise ConfigError(f"cannot load {file.path}: {reason}") from error


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command line; returns the exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        if options.mode == "ini":
            print(sample(HEADLESS, find_job_type(HEADLESS)), end="")  # noqa: T201 (a program speaks to its user)
            return Exit.OK
        if options.ini is None:
            parser.error("the config.ini is missing")
        return _run(options)
    except TdsupError as error:
        for line in error.lines if isinstance(error, ConfigError) else [str(error)]:
            print(line, file=sys.stderr)  # noqa: T201 (a program speaks to its user)
        return error.exit_code


def _run(options: argparse.Namespace) -> int:
    overrides, mode = dict(options.overrides), options.mode
    if mode in SIGNALS:
        return _signal(*pidfile_of(options.ini, overrides), SIGNALS[mode])
    level = logging.DEBUG if options.verbose else logging.WARNING if options.quiet else logging.INFO
    if mode in ACTIONS:
        file = load_job_file(options.ini, overrides)
        logs.add_stderr(file.host.layout("console", verbose=bool(options.verbose)))
        logs.set_level(level)
        return perform(file, mode)
    single = Single(options.ini, overrides, level, console=mode != "daemon")
    if mode != "daemon":
        return _status(single.run(lambda: None))
    file = single.file
    if not file.host.pidfile:
        raise ConfigError(f"cannot start {file.name} as a daemon: Daemon needs pidfile")

    def live(ready: Callable[[], None]) -> int:
        end = single.run(ready)
        if end.code != Exit.OK:
            raise TdsupError(end.reason)
        return Exit.OK

    return detach(file.name, live)


def _status(end: End) -> int:
    """Exit status of a program of one job: as the original, 1 for every error."""
    return Exit.FAILED if end.code == Exit.SETUP else end.code


def _signal(job: str, path: str, number: signal.Signals) -> int:
    """Send a signal to the process that holds the job's pid file, be it single or in a fleet."""
    if not path:
        raise ConfigError(f"cannot signal {job}: its file names no pidfile")
    try:
        owner = PidFile(path).owner()
    except OSError as error:
        raise ConfigError(f"cannot signal {job}: {error.strerror}: {path}") from error
    if owner is None:
        print(f"{job} does not run", file=sys.stderr)  # noqa: T201 (a program speaks to its user)
        return Exit.OK
    try:
        os.kill(owner, number)
    except ProcessLookupError:
        return Exit.OK
    except OSError as error:
        raise TdsupError(f"cannot signal {job}: pid {owner}: {error.strerror}") from error
    return Exit.OK


def _override(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form PARAM=VAL")
    return key.strip(), value.strip()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="table_dispatcher",
        description="Run the job of one ini file until SIGINT (ends its batch) or SIGTERM (ends at once).",
        epilog="example: table_dispatcher -d conf.d/orders.ini",
    )
    parser.add_argument("ini", metavar="config.ini", nargs="?", help="the job's file")
    parser.add_argument("-V", "--version", action="version", version=f"table_dispatcher (tdsup {VERSION})")
    parser.add_argument("-q", "--quiet", action="store_true", help="log warnings and errors only")
    parser.add_argument("-v", "--verbose", action="count", default=0, help="log more, in the verbose formats")
    parser.add_argument(
        "--set",
        dest="overrides",
        metavar="PARAM=VAL",
        action="append",
        type=_override,
        default=[],
        help="let a key have this value, whatever the file says",
    )
    modes = parser.add_mutually_exclusive_group()
    for flags, mode, text in MODES:
        modes.add_argument(*flags, dest="mode", action="store_const", const=mode, help=text)
    return parser


MODES: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (("-d", "--daemon"), "daemon", "run in the background; return once it works or has failed"),
    (("-r", "--reload"), "reload", "let the running process take up its file anew (SIGHUP)"),
    (("-s", "--stop"), "stop", "let the running process end after its batch (SIGINT)"),
    (("-k", "--kill"), "kill", "let the running process end at once (SIGTERM)"),
    (("--ini",), "ini", "print a sample file"),
    (("--register",), "register", "subscribe the consumer to the queue"),
    (("--unregister",), "unregister", "unsubscribe the consumer, and forget the target's position"),
    (("--rewind",), "rewind", "set the consumer on the source to the target's position"),
    (("--reset",), "reset", "forget the target's position"),
)
"""What else can be done than to run in the foreground: switches, name, help."""

if __name__ == "__main__":
    sys.exit(main())
