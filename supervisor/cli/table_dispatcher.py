"""``table_dispatcher``: one job as one process, with the switches of the original program."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence

from setproctitle import setproctitle

from ..errors import ConfigError, TdsupError
from ..exits import Exit, of_single
from ..protocol import VERSION
from ..redact import HIDDEN
from .prologue import dump_no_core
from .speech import complain

PROGRAM = "table_dispatcher"

SETS = ("--set", "--se")
"""The switch that sets a key, and how it may be shortened."""

SETS_AT_ONCE = tuple(f"{switch}=" for switch in SETS)


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command line; returns the exit status."""
    dump_no_core()
    if arguments is None:
        setproctitle(" ".join(_shown([PROGRAM, *sys.argv[1:]])))
    parser = make_parser()
    options = parser.parse_args(arguments)
    try:
        # Only now: the command line alone must be quick.
        from . import singlejob

        if options.mode == "ini":
            singlejob.print_sample()
            return Exit.OK
        if options.ini is None:
            parser.error("the config.ini is missing")
        return singlejob.run(options)
    except TdsupError as error:
        for line in error.lines if isinstance(error, ConfigError) else [str(error)]:
            complain(line)
        return of_single(error.exit_code)


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
        # Only this switch needs it.
        from ..config import text_of

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
