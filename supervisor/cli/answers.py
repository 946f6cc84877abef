"""How the command line asks a master, and shows the answer."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

from tdsup.jobtype import printable

from ..config import FleetSettings, load_fleet
from ..control import VERBS, VERSION, Client, Command, wait_free
from ..errors import NotRunning, TdsupError
from ..exits import Exit
from .status import render
from .verdict import Verdict, judge

Run = Callable[[argparse.Namespace], int]
"""Carries out a command of the command line; returns the exit status."""

WATCH_INTERVAL = 1.0
"""Seconds between two tables of ``status --watch``."""

_FULL_SCREEN, _OLD_SCREEN = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"
_ENDS = ("", "Ctrl-C ends")

_HOME, _REST_OF_LINE, _REST_OF_SCREEN = "\x1b[H", "\x1b[K", "\x1b[J"


def say(text: str) -> None:
    """Print a line to the user.

    Raises:
        BrokenPipeError: nobody reads any more.
        TdsupError: the line cannot be written.
    """
    try:
        print(text, flush=True)  # noqa: T201 (a program speaks to its user)
    except BrokenPipeError:
        raise
    except OSError as error:
        # What is left in Python's buffer would fail again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        raise TdsupError(f"cannot write the answer: {error.strerror}") from error


def complain(text: str) -> None:
    """Tell the user about a fault, in one line."""
    print(printable(text), file=sys.stderr)  # noqa: T201 (a program speaks to its user)


def _call(settings: FleetSettings, options: argparse.Namespace) -> Any:
    command: Command = options.command
    given = {argument.name: getattr(options, argument.name) for argument in command.arguments}
    with Client(settings.socket) as client:
        return client.call(command.name, **{name: value for name, value in given.items() if value})


def _status(options: argparse.Namespace) -> int:
    settings = load_fleet()
    if options.watch:
        return _watch(settings, options)
    if options.judges:
        return _check(settings, options)
    answer = _jobs(settings, options)
    say(json.dumps(answer, indent=1) if options.json else render(answer, _width()))
    return Exit.OK


def _jobs(settings: FleetSettings, options: argparse.Namespace) -> Any:
    """The status of the jobs that are wanted."""
    answer = _call(settings, options)
    if options.states:
        answer["jobs"] = [job for job in answer["jobs"] if job["state"] in options.states]
    return answer


def _check(settings: FleetSettings, options: argparse.Namespace) -> int:
    """Judge the fleet in one line, whatever can be told of it."""
    try:
        verdict, text = judge(_jobs(settings, options), options.lag)
    except NotRunning as error:
        verdict, text = Verdict.CRITICAL, str(error)
    say(verdict.line(text))
    return verdict


def _width() -> int:
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else 0


def _height() -> int:
    """Lines that a table may have on a terminal; 0: any number."""
    return max(1, shutil.get_terminal_size().lines - 1 - len(_ENDS)) if sys.stdout.isatty() else 0


def _watch(settings: FleetSettings, options: argparse.Namespace) -> int:
    """Show the table again and again until Ctrl-C; on a terminal, always in the same place."""
    terminal = sys.stdout.isatty()
    # However it ends, the terminal must be as it was before.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sys.stdout.write(_FULL_SCREEN if terminal else "")
        while True:
            try:
                text = render(_jobs(settings, options), _width(), _height())
            except NotRunning as error:
                text = str(error)
            say(_screen(text) if terminal else f"{text}\n")
            time.sleep(WATCH_INTERVAL)
    except KeyboardInterrupt:
        return Exit.OK
    finally:
        sys.stdout.write(_OLD_SCREEN if terminal else "")
        sys.stdout.flush()


def _screen(text: str) -> str:
    """The text for a terminal: drawn over the last one without flicker, cut to the terminal's size."""
    size = shutil.get_terminal_size()
    lines = [*text.splitlines(), *_ENDS][: size.lines - 1]
    return _HOME + "".join(f"{line[: size.columns]}{_REST_OF_LINE}\n" for line in lines) + _REST_OF_SCREEN


def _reload(options: argparse.Namespace) -> int:
    answer = _call(load_fleet(), options)
    broken, warnings = answer.pop("broken"), answer.pop("warnings")
    left = [f"left: {line}" for line in answer.pop("left")]
    for outcome, names in answer.items():
        if names:
            say(f"{outcome}: {' '.join(names)}")
    # A file that is broken as a whole is the fault of each of its jobs.
    for line in dict.fromkeys([*warnings, *left, *(fault["error"] for fault in broken)]):
        complain(line)
    return Exit.FAILED if broken else Exit.OK


def _verb(options: argparse.Namespace) -> int:
    answer = _call(load_fleet(), options)
    refused = answer.pop("refused")
    for outcome, names in answer.items():
        if names:
            say(f"{outcome}: {' '.join(names)}")
    for refusal in refused:
        complain(refusal["error"])
    return Exit.FAILED if refused else Exit.OK


def _rotate(options: argparse.Namespace) -> int:
    answer = _call(load_fleet(), options)
    say(f"rotated: {' '.join(answer['rotated']) or 'no job has a process'}")
    return Exit.OK


def _stop(_options: argparse.Namespace) -> int:
    settings = load_fleet()
    with Client(settings.socket) as client:
        client.call("stop")
        client.wait_closed()
    wait_free(settings.lock)
    return Exit.OK


def _version(options: argparse.Namespace) -> int:
    say(f"tdsup {VERSION}")
    try:
        answer = _call(load_fleet(), options)
    except NotRunning:
        return Exit.OK
    say(f"master {answer['version']}")
    return Exit.OK


SHOWS: dict[str, Run] = {
    "status": _status,
    "reload": _reload,
    "rotate": _rotate,
    "stop": _stop,
    "version": _version,
    **dict.fromkeys((verb.command for verb in VERBS), _verb),
}
"""What runs a command on the command line, by its name."""
