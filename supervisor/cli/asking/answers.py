"""How the command line asks a master, and shows the answer."""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
import time
from typing import Any

from ...errors import NotRunning
from ...exits import Exit
from ...protocol import VERSION, Client, Command, control_socket, lock_of
from ..speech import complain, name_fleet, say
from .status import render
from .verdict import Verdict, judge

WATCH_INTERVAL = 1.0
"""Seconds between two tables of ``status --watch``."""

_FULL_SCREEN, _OLD_SCREEN = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"
_ENDS = ("", "Ctrl-C ends")

_HOME, _REST_OF_LINE, _REST_OF_SCREEN = "\x1b[H", "\x1b[K", "\x1b[J"


def _call(options: argparse.Namespace) -> Any:
    command: Command = options.command
    given = {argument.name: getattr(options, argument.name) for argument in command.arguments}
    with Client(control_socket()) as client:
        answer = client.call(command.name, **{name: value for name, value in given.items() if value})
    if command.changes:
        name_fleet(options)
    return answer


def status(options: argparse.Namespace) -> int:
    """Show what jobs do, once or again and again, or judge it."""
    if options.watch:
        return _watch(options)
    if options.judges:
        return _check(options)
    answer = _jobs(options)
    say(json.dumps(answer, indent=1) if options.json else render(answer, _width()))
    return Exit.OK


def _jobs(options: argparse.Namespace) -> Any:
    """The status of the jobs that are wanted."""
    answer = _call(options)
    if options.states:
        answer["jobs"] = [job for job in answer["jobs"] if job["state"] in options.states]
    return answer


def _check(options: argparse.Namespace) -> int:
    """Judge the fleet in one line, whatever can be told of it."""
    try:
        verdict, text = judge(_jobs(options), options.lag)
    except NotRunning as error:
        verdict, text = Verdict.CRITICAL, str(error)
    say(verdict.line(text))
    return verdict


def _width() -> int:
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else 0


def _height() -> int:
    """Lines that a table may have on a terminal; 0: any number."""
    return max(1, shutil.get_terminal_size().lines - 1 - len(_ENDS)) if sys.stdout.isatty() else 0


def _watch(options: argparse.Namespace) -> int:
    """Show the table again and again until Ctrl-C; on a terminal, always in the same place."""
    terminal = sys.stdout.isatty()
    # However it ends, the terminal must be as it was before.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sys.stdout.write(_FULL_SCREEN if terminal else "")
        while True:
            try:
                text = render(_jobs(options), _width(), _height())
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


def reload(options: argparse.Namespace) -> int:
    """Have job files read again; tell what changes."""
    answer = _call(options)
    broken, warnings = answer.pop("broken"), answer.pop("warnings")
    left = [f"left: {line}" for line in answer.pop("left")]
    for outcome, names in answer.items():
        if names:
            say(f"{outcome}: {' '.join(names)}")
    # A file that is broken as a whole is the fault of each of its jobs.
    for line in dict.fromkeys([*warnings, *left, *(fault["error"] for fault in broken)]):
        complain(line)
    return Exit.FAILED if broken else Exit.OK


def steer(options: argparse.Namespace) -> int:
    """Have jobs do what a verb says."""
    answer = _call(options)
    refused = answer.pop("refused")
    for outcome, names in answer.items():
        if names:
            say(f"{outcome}: {' '.join(names)}")
    for refusal in refused:
        complain(refusal["error"])
    return Exit.FAILED if refused else Exit.OK


def rotate(options: argparse.Namespace) -> int:
    """Begin new log files."""
    answer = _call(options)
    say(f"rotated: {' '.join(answer['rotated']) or 'no job has a process'}")
    return Exit.OK


def stop(options: argparse.Namespace) -> int:
    """Stop the fleet; return once it has gone."""
    # Only this command needs it.
    from ...control import wait_free

    socket = control_socket()
    with Client(socket) as client:
        client.call("stop")
        client.wait_closed()
    wait_free(lock_of(socket))
    name_fleet(options)
    return Exit.OK


def version(options: argparse.Namespace) -> int:
    """Show which release this is, and the master."""
    # Only this command needs it.
    from ...config import job_types

    say(f"tdsup {VERSION}")
    for name, job_type in job_types():
        if job_type.about:
            say(f"{name}: {job_type.about}")
    try:
        answer = _call(options)
    except NotRunning:
        return Exit.OK
    say(f"master {answer['version']}")
    return Exit.OK
