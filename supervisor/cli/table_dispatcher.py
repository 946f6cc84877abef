"""``table_dispatcher``: one job as one process, with the switches of the original program."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence

from setproctitle import setproctitle

from .. import logs
from ..config import HEADLESS, find_job_type, load_only_job, pidfile_of, sample, text_of
from ..control import VERSION
from ..errors import ConfigError, TdsupError
from ..exits import Exit
from ..redact import HIDDEN
from ..worker import PidFile, StandaloneJob
from .answers import complain
from .daemon import detach, dump_no_core
from .perform import perform

PROGRAM = "table_dispatcher"

SETS = ("--set", "--se")
"""The switch that sets a key, and how it may be shortened."""

SETS_AT_ONCE = tuple(f"{switch}=" for switch in SETS)

SIGNALS = {"reload": signal.SIGHUP, "stop": signal.SIGINT, "kill": signal.SIGTERM}
"""The signal for a running process, by switch."""

ACTIONS = ("register", "unregister", "rewind", "reset")
"""Actions of the job type that have their own switch."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command line; returns the exit status."""
    dump_no_core()
    if arguments is None:
        setproctitle(" ".join(_shown([PROGRAM, *sys.argv[1:]])))
    parser = make_parser()
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
            complain(line)
        return _status(error.exit_code)


def _run(options: argparse.Namespace) -> int:
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
        return _status(job.run(lambda: None).code)
    file = job.file
    if not file.host.pidfile:
        raise ConfigError(f"cannot start {file.name} as a daemon: Daemon needs pidfile")

    def live(ready: Callable[[], None]) -> int:
        end = job.run(ready)
        if end.code != Exit.OK:
            raise TdsupError(end.reason)
        return Exit.OK

    return detach(file.name, live)


def _status(code: int) -> int:
    """The exit status of a program for one job: 1 for every error, like the original."""
    return Exit.FAILED if code == Exit.SETUP else code


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


def _shown(words: Sequence[str]) -> Iterator[str]:
    """The words of a command line as everybody may see them: what keys are set to may be a password."""
    is_setting = False
    for word in words:
        switch, equals, setting = word.partition("=") if word.startswith(SETS_AT_ONCE) else ("", "", word)
        key = setting.partition("=")[0]
        yield f"{switch}{equals}{key}={HIDDEN}" if is_setting or equals else word
        is_setting = word in SETS


def _override(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        # It may hold a password, or a part of one.
        raise argparse.ArgumentTypeError("it is not of the form PARAM=VAL or PARAM=@FILE")
    if value.startswith("@"):
        try:
            value = text_of(value[1:])
        except ConfigError as error:
            raise argparse.ArgumentTypeError(str(error)) from error
    return key.strip(), value.strip()


def make_parser() -> argparse.ArgumentParser:
    """The command line, with every switch."""
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
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
        metavar="PARAM=VAL|@FILE",
        action="append",
        type=_override,
        default=[],
        help="set a key to this value, or to what a file holds, whatever config.ini says",
    )
    modes = parser.add_mutually_exclusive_group()
    for flags, mode, text in MODES:
        modes.add_argument(*flags, dest="mode", action="store_const", const=mode, help=text)
    return parser


MODES: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (("-d", "--daemon"), "daemon", "run in the background; return once it works or has failed"),
    (("-r", "--reload"), "reload", "let the running process read its file again (SIGHUP)"),
    (("-s", "--stop"), "stop", "let the running process end after its batch (SIGINT)"),
    (("-k", "--kill"), "kill", "let the running process end at once (SIGTERM)"),
    (("--ini",), "ini", "print a sample file"),
    (("--register",), "register", "subscribe the consumer to the queue, and write its first position"),
    (("--unregister",), "unregister", "unsubscribe the consumer, and forget the target's position"),
    (("--rewind",), "rewind", "set the consumer on the source to the target's position"),
    (("--reset",), "reset", "set the target's position to where the source stands"),
)
"""What it can do instead of running in the foreground: switches, name, help."""

if __name__ == "__main__":
    sys.exit(main())
