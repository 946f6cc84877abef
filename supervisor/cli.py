"""``tdsup``: the command line of a fleet."""

from __future__ import annotations

import argparse
import json
import logging
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from typing import Any

from . import logs
from .action import perform
from .client import Client
from .commands import COMMANDS, VERSION, Command
from .daemon import detach
from .errors import ConfigError, NotRunning, TdsupError, UnknownJob
from .exits import Exit
from .fleet import FleetSettings, load_fleet, require_jobs
from .jobfile import BrokenFile, scan
from .lock import wait_free
from .status import render

Run = Callable[[argparse.Namespace], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command; returns the exit status."""
    options = _parser().parse_args(arguments)
    run: Run = options.run
    try:
        _enter(options.directory)
        return run(options)
    except TdsupError as error:
        print(error, file=sys.stderr)  # noqa: T201 (a program speaks to its user)
        return error.exit_code
    except BrokenPipeError:
        # The reader (head, less) has seen enough; without this, Python complains at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return Exit.FAILED
    except KeyboardInterrupt:
        return Exit.INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tdsup",
        description="Run a fleet of PgQ table dispatchers: one process per file of conf.d.",
        epilog="example: tdsup -C /srv/fleet start",
    )
    parser.add_argument(
        "-C", dest="directory", metavar="DIR", default=".", help="the fleet's directory (default: .)"
    )
    parser.add_argument("--version", action="version", version=f"tdsup {VERSION}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    start = _add(commands, "start", "Run the fleet in the foreground until Ctrl-C.", "tdsup start -d", _start)
    start.add_argument(
        "-d", dest="detach", action="store_true", help="in the background; return once it answers"
    )
    check = _add(
        commands,
        "check",
        "Check job files, those of the fleet if none is named; no fleet need run.",
        "tdsup check conf.d/orders.ini",
        _check,
    )
    check.add_argument("files", metavar="FILE", nargs="*", help="the files")
    letters = _add(
        commands,
        "dead-letters",
        "List, show, replay or purge the events of a job that could not be loaded; no fleet need run.",
        "tdsup dead-letters orders replay 7",
        _dead_letters,
    )
    letters.add_argument("job", metavar="JOB", help="name of the job")
    letters.add_argument("action", choices=LETTER_ACTIONS, help="what to do with them")
    letters.add_argument("ids", metavar="ID", nargs="*", help="which ones; none means all, but for show")
    for command in COMMANDS.values():
        if not command.people:
            continue
        added = _add(commands, command.name, command.help, command.example, SHOWS[command.name])
        added.set_defaults(command=command)
        for argument in command.arguments:
            added.add_argument(argument.name, metavar=argument.name.upper(), nargs="?", help=argument.help)
        if command.name == "status":
            added.add_argument("--json", action="store_true", help="for programs; all durations in seconds")
    return parser


def _add(commands: Any, name: str, text: str, example: str, run: Run) -> argparse.ArgumentParser:
    added: argparse.ArgumentParser = commands.add_parser(
        name, help=text, description=text, epilog=f"example: {example}"
    )
    added.set_defaults(run=run)
    return added


def _enter(directory: str) -> None:
    try:
        os.chdir(directory)
    except OSError as error:
        raise ConfigError(f"cannot enter {directory}: {error.strerror}") from error


def _start(options: argparse.Namespace) -> int:
    settings = load_fleet()
    require_jobs(settings)
    # Only a master needs the modules that its children share.
    from .service import run_service

    if not options.detach:
        return run_service(settings, lambda: None, foreground=True)
    detach("the fleet", lambda ready: run_service(settings, ready, foreground=False))
    with Client(settings.socket) as client:
        client.call("version")
    return Exit.OK


def _check(options: argparse.Namespace) -> int:
    """Say all that is wrong or odd with job files."""
    files = scan(options.files or load_fleet().jobs)
    broken = [file for file in files if isinstance(file, BrokenFile)]
    for file in files:
        for line in file.error.lines if isinstance(file, BrokenFile) else file.warnings:
            print(line, file=sys.stderr)  # noqa: T201 (a program speaks to its user)
    if not files:
        raise ConfigError(f"cannot check {' '.join(options.files or load_fleet().jobs)}: no such file")
    _say(f"{len(files) - len(broken)} of {len(files)} files can run")
    return Exit.FAILED if broken else Exit.OK


def _dead_letters(options: argparse.Namespace) -> int:
    """Do something with the dead letters of a job; the fleet need not run."""
    for file in scan(load_fleet().jobs):
        if file.name == options.job:
            if isinstance(file, BrokenFile):
                raise file.error
            logs.add_stderr()
            logs.set_level(logging.INFO)
            return perform(file, options.action, options.ids)
    raise UnknownJob(f"cannot {options.action} dead letters of {options.job}: no job has that name")


def _call(settings: FleetSettings, options: argparse.Namespace) -> Any:
    command: Command = options.command
    given = {argument.name: getattr(options, argument.name) for argument in command.arguments}
    with Client(settings.socket) as client:
        return client.call(
            command.name, **{name: value for name, value in given.items() if value is not None}
        )


def _status(options: argparse.Namespace) -> int:
    answer = _call(load_fleet(), options)
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
    _say(json.dumps(answer, indent=1) if options.json else render(answer, width))
    return Exit.OK


def _reload(options: argparse.Namespace) -> int:
    answer = _call(load_fleet(), options)
    broken = answer.pop("broken", [])
    for outcome, names in answer.items():
        if names:
            _say(f"{outcome}: {' '.join(names)}")
    for fault in broken:
        print(fault["error"], file=sys.stderr)  # noqa: T201 (a program speaks to its user)
    return Exit.FAILED if broken else Exit.OK


def _stop(_options: argparse.Namespace) -> int:
    settings = load_fleet()
    with Client(settings.socket) as client:
        client.call("stop")
        client.wait_closed()
    wait_free(settings.lock)
    return Exit.OK


def _version(options: argparse.Namespace) -> int:
    _say(f"tdsup {VERSION}")
    try:
        answer = _call(load_fleet(), options)
    except NotRunning:
        return Exit.OK
    _say(f"master {answer['version']}")
    return Exit.OK


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 (a program speaks to its user)


LETTER_ACTIONS = ("list", "show", "replay", "purge")
"""What can be done with dead letters, as job types call it."""

SHOWS: dict[str, Run] = {"status": _status, "reload": _reload, "stop": _stop, "version": _version}
"""How the command line shows the answer of a command, by name."""

if __name__ == "__main__":
    sys.exit(main())
