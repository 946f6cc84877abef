"""``tdsup``: the command line of a fleet."""

from __future__ import annotations

import argparse
import glob
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .. import logs
from ..config import (
    FILE,
    HEADLESS,
    find_job_type,
    import_fleet,
    load_fleet,
    require_jobs,
    sample,
)
from ..control import COMMANDS, VERSION, Argument, ArgumentType, Client
from ..errors import ConfigError, NotRunning, Refused, TdsupError
from ..exits import Exit
from . import completion
from .answers import SHOWS, Run, complain, say
from .checking import add_check
from .daemon import attach, detach, dump_no_core
from .jobactions import add_action_commands
from .jobsearch import find_job
from .parsers import add_command, at_least
from .status import URGENCY
from .tail import Tail
from .verdict import Verdict

FOLLOW_PAUSE = 0.2
"""Seconds between two looks at a log that is followed."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command; returns the exit status."""
    dump_no_core()
    logs.hold_standard_streams()
    options = make_parser().parse_args(arguments)
    run: Run = options.run
    try:
        _enter(options.directory)
        return run(options)
    except TdsupError as error:
        if getattr(options, "judges", False):
            say(Verdict.UNKNOWN.line(str(error)))
            return Verdict.UNKNOWN
        complain(str(error))
        return error.exit_code
    except BrokenPipeError:
        # The reader (head, less) has closed the pipe; without this, Python complains at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return Exit.FAILED
    except KeyboardInterrupt:
        return Exit.INTERRUPTED


def make_parser() -> argparse.ArgumentParser:
    """The command line, with every command."""
    parser = argparse.ArgumentParser(
        prog="tdsup",
        description="Run a fleet of PgQ table dispatchers: one process per job of conf.d.",
        epilog="example: tdsup -C /srv/fleet start",
    )
    directory = parser.add_argument(
        "-C", dest="directory", metavar="DIR", default=".", help="the fleet's directory (default: .)"
    )
    completion.offer(directory, completion.DIRECTORIES)
    parser.add_argument("--version", action="version", version=f"tdsup {VERSION}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_start(commands)
    for command in COMMANDS.values():
        if command.people:
            added = add_command(commands, command.name, command.help, command.example, SHOWS[command.name])
            added.set_defaults(command=command)
            for argument in command.arguments:
                _add_argument(added, argument)
            if command.name == "status":
                _add_forms(added)
    _add_files(commands)
    add_check(commands)
    add_action_commands(commands)
    shell = add_command(
        commands,
        "completion",
        "Print a script that lets a shell complete commands and names of jobs.",
        "tdsup completion bash > /etc/bash_completion.d/tdsup",
        lambda options: _print(completion.script(parser, options.shell)),
    )
    shell.add_argument("shell", choices=completion.SHELLS, help="the shell")
    return parser


def _add_argument(parser: argparse.ArgumentParser, argument: Argument) -> None:
    """Add one argument of a command of the master."""
    if argument.type is ArgumentType.FLAG:
        parser.add_argument(
            f"--{argument.name.replace('_', '-')}",
            dest=argument.name,
            action="store_true",
            help=argument.help,
        )
    else:
        number = "+" if argument.required else "*"
        names = parser.add_argument(argument.name, metavar="JOB", nargs=number, help=argument.help)
        completion.offer(names, completion.JOBS)


def _add_forms(status: argparse.ArgumentParser) -> None:
    """Add how a status is shown, and of which jobs."""
    form = status.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="for programs; durations in seconds")
    form.add_argument("-w", "--watch", action="store_true", help="a live table, until Ctrl-C")
    form.add_argument(
        "--check",
        dest="judges",
        action="store_true",
        help="one line for Nagios and scripts, with the exit status: 0 all is well (also what is paused or "
        "stopped on purpose), 1 a job is in backoff, 2 one is blocked or lags, or no master runs, "
        "3 cannot tell",
    )
    status.add_argument(
        "--lag", metavar="SECONDS", type=float, help="with --check: the most lag of a job that is well"
    )
    status.add_argument(
        "--state",
        dest="states",
        action="append",
        choices=URGENCY,
        metavar="STATE",
        help=f"only jobs in that state; may be given again ({', '.join(URGENCY)})",
    )


def _add_start(commands: Any) -> None:
    start = add_command(
        commands, "start", "Run the fleet in the foreground until Ctrl-C.", "tdsup start -d", _start
    )
    start.add_argument(
        "-d", dest="detach", action="store_true", help="in the background; return once it answers"
    )


def _add_files(commands: Any) -> None:
    """Add the commands that look at files, whether the fleet runs or not."""
    tail = add_command(
        commands, "logs", "Show the end of a job's log, or of the master's.", "tdsup logs -f orders", _logs
    )
    job = tail.add_argument("job", metavar="JOB", nargs="?", help="name of the job (default: the master)")
    completion.offer(job, completion.JOBS)
    tail.add_argument("-f", dest="follow", action="store_true", help="show what is added too, until Ctrl-C")
    tail.add_argument(
        "-n", dest="lines", metavar="N", type=at_least(0), default=10, help="how many lines (10)"
    )
    shown = add_command(
        commands, "sample", "Print a job's file with every key.", "tdsup sample > conf.d/orders.ini", _sample
    )
    shown.add_argument(
        "type", metavar="TYPE", nargs="?", default=HEADLESS, help=f"job type (default: {HEADLESS})"
    )
    taken = add_command(
        commands,
        "import",
        "Write a tdsup.yaml for the jobs of a scriptmgr.ini.",
        "tdsup import /etc/skytools/scriptmgr.ini",
        lambda options: _print("\n".join(import_fleet(Path(options.file)))),
    )
    file = taken.add_argument("file", metavar="FILE", help="the scriptmgr.ini")
    completion.offer(file, completion.FILES)


def _enter(directory: str) -> None:
    try:
        os.chdir(directory)
    except OSError as error:
        raise ConfigError(f"cannot enter {directory}: {error.strerror}") from error


def _start(options: argparse.Namespace) -> int:
    settings = load_fleet()
    require_jobs(settings)
    # Only a master needs the modules that its children share.
    from ..service import run_service

    if not options.detach:
        attach("the fleet", lambda ready: run_service(settings, ready, foreground=True))
    detach("the fleet", lambda ready: run_service(settings, ready, foreground=False))
    with Client(settings.socket) as client:
        client.call("version")
    return Exit.OK


def _logs(options: argparse.Namespace) -> int:
    settings = load_fleet()
    if settings.stream is not None:
        raise TdsupError(_elsewhere(options.job, settings.log_to))
    path = _log_of(options.job) if options.job else Path(settings.log)
    tail = Tail(path)
    try:
        _write(tail.last(options.lines))
        while options.follow:
            for block in tail.news():
                _write(block)
            time.sleep(FOLLOW_PAUSE)
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        raise TdsupError(f"cannot read {path}: {error.strerror}") from error
    except KeyboardInterrupt:
        pass
    finally:
        tail.close()
    return Exit.OK


def _elsewhere(job: str | None, log_to: str) -> str:
    """Where to look for a log that is no file."""
    what = f"log of {job}" if job else "log"
    command = f"journalctl TDSUP_JOB={job}" if job else "journalctl -t tdsup"
    look = f"; look with {command}" if log_to == "journald" else ""
    return f"cannot show the {what}: everything is logged to {log_to} (log_to in {FILE}){look}"


def _log_of(job: str) -> Path:
    """The log of a job, as the master knows it (its file may be broken by now), else as its file says."""
    try:
        with Client(load_fleet().socket) as client:
            (found,) = client.call("status", jobs=[glob.escape(job)])["jobs"]
            return Path(found["log"] or f"log/{job}.log")
    except (NotRunning, Refused):
        return find_job(job, "show the log of").log_path


def _write(text: bytes) -> None:
    sys.stdout.buffer.write(text)
    sys.stdout.buffer.flush()


def _sample(options: argparse.Namespace) -> int:
    return _print(sample(options.type, find_job_type(options.type)).rstrip("\n"))


def _print(text: str) -> int:
    say(text)
    return Exit.OK


if __name__ == "__main__":
    sys.exit(main())
