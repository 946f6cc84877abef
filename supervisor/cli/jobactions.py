"""Commands that have job types act on jobs, whether the fleet runs or not."""

from __future__ import annotations

import argparse
import glob
import logging
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from .. import logs
from ..config import BrokenConfig, JobConfig, load_fleet
from ..control import Client
from ..errors import NotRunning, Refused, TdsupError
from ..exits import Exit
from . import completion
from .answers import Run, complain, say
from .jobsearch import find_job, find_jobs
from .parsers import add_command, at_least
from .perform import can, perform

LETTER_ACTIONS = ("list", "show", "replay", "purge")
"""What can be done with dead letters, by the names of job types' actions."""

STOP_PAUSE = 0.2
"""Seconds between two looks whether a job has ended."""


def add_action_commands(commands: Any) -> None:
    """Add them to the parser."""
    _add_letters(commands)
    _add_repairs(commands)
    retire = _add(commands, "retire", "End jobs for good: stop them and unregister their consumers.", _retire)
    _add_names(retire, "+", "names of jobs; remove their files then")
    text = "List the consumers of all queues at the fleet's sources, and who reads them."
    _add(commands, "consumers", text, _consumers, example="")
    schema = _add(commands, "schema", "Show what targets keep for jobs, and in which version.", _schema)
    _add_names(schema, "*", "names of jobs, or patterns in quotes (default: all)")
    text = "Print the SQL of the least rights that a job needs in its databases; connects to neither."
    granting = _add(commands, "grants", text, _grants, example="conf.d/orders.ini")
    _add_names(granting, None, "name of the job, or its file, which needs no fleet")
    schema.add_argument("--sql", action="store_true", help="print the statements that bring it up to date")


def _add(commands: Any, name: str, text: str, run: Run, example: str = "orders") -> argparse.ArgumentParser:
    """Add a command whose actions may log something: the user sees that too."""

    def logged(options: argparse.Namespace) -> int:
        logs.add_stderr()
        logs.set_level(logging.INFO)
        return run(options)

    return add_command(commands, name, text, f"tdsup {name} {example}".rstrip(), logged)


def _add_names(parser: argparse.ArgumentParser, number: str | None, text: str) -> None:
    names = parser.add_argument("jobs" if number else "job", metavar="JOB", nargs=number, help=text)
    completion.offer(names, completion.JOBS)


def _add_letters(commands: Any) -> None:
    text = "List, show, replay or purge events of a job that could not be loaded; the fleet need not run."
    letters = _add(commands, "dead-letters", text, _dead_letters, example="orders replay 7")
    _add_names(letters, None, "name of the job, or its file, which needs no fleet")
    letters.add_argument("action", choices=LETTER_ACTIONS, help="what to do with them")
    letters.add_argument(
        "ids", metavar="ID", nargs="*", help="which ones (default: all; show and purge need one)"
    )
    letters.add_argument("--all", action="store_true", help="with purge: all of them")
    letters.add_argument("--json", action="store_true", help="with list: an object a line, for programs")
    letters.add_argument(
        "--limit",
        metavar="N",
        type=at_least(1),
        help="with list: the first N, and no summary by reason",
    )


def _add_repairs(commands: Any) -> None:
    """Add what mends a job that is blocked, or that another host holds."""
    text = "Have sources send again what targets lack, for jobs with a lost position."
    rewind = _add(commands, "rewind", text, _rewind)
    _add_names(rewind, "+", "names of jobs, or patterns in quotes such as '*'")
    rewind.add_argument("--dry-run", action="store_true", help="only tell what would be sent again")
    text = "Pass over the batch that a job cannot load; its events are kept as dead letters."
    _add_names(_add(commands, "skip", text, _skip), None, "name of the job")
    text = "Take a job over from a host whose process is frozen: end its sessions."
    _add_names(_add(commands, "takeover", text, _takeover), None, "name of the job")


def _dead_letters(options: argparse.Namespace) -> int:
    action = options.action
    _refuse_switches(options)
    file = find_job(options.job, f"{action} dead letters of")
    arguments = [*options.ids]
    if options.all:
        arguments.append("all")
    if action == "purge" and arguments and not _agrees(f"delete {_whose(options)} of {file.name} for good?"):
        return Exit.FAILED
    if options.json:
        arguments.append("json")
    if options.limit is not None:
        arguments.append(f"limit={options.limit}")
    elif action == "list" and sys.stdout.isatty() and not (options.ids or options.json):
        arguments.append(f"screen={max(1, shutil.get_terminal_size().lines - 4)}")
    return _act(file, action, arguments)


def _whose(options: argparse.Namespace) -> str:
    return "all dead letters" if options.all else f"dead letters {', '.join(options.ids)}"


def _refuse_switches(options: argparse.Namespace) -> None:
    """See that each switch has a meaning for what is done."""
    for switch, action in (("all", "purge"), ("json", "list"), ("limit", "list")):
        if getattr(options, switch) and options.action != action:
            doing = f"{options.action} dead letters of {options.job}"
            raise TdsupError(f"cannot {doing}: --{switch} is for {action} alone")


def _agrees(question: str) -> bool:
    """Whether the person at the terminal says yes; whoever is no person has said so by the command."""
    if not sys.stdin.isatty():
        return True
    try:
        return input(f"{question} [y/N] ").strip().lower() in {"y", "yes"}
    except EOFError:
        return False


def _rewind(options: argparse.Namespace) -> int:
    found = find_jobs(options.jobs, "rewind")
    files = [file for file in found if file.name in options.jobs or _may(file, "rewind")]
    arguments = ["dry-run"] if options.dry_run else []
    mended = [file.name for file in files if _act(file, "rewind", arguments) == Exit.OK]
    if not options.dry_run:
        _start_blocked(mended)
    return Exit.OK if len(mended) == len(files) else Exit.FAILED


def _may(file: JobConfig | BrokenConfig, action: str) -> bool:
    """Whether a pattern means this job: others that it fits, such as tickers, have no such action."""
    return isinstance(file, BrokenConfig) or can(file, action)


def _skip(options: argparse.Namespace) -> int:
    file = find_job(options.job, "skip a batch of")
    code = _act(file, "skip")
    if code == Exit.OK:
        _start_blocked([file.name])
    return code


def _takeover(options: argparse.Namespace) -> int:
    return _act(find_job(options.job, "take over"), "takeover")


def _retire(options: argparse.Namespace) -> int:
    files = [find_job(name, "retire") for name in dict.fromkeys(options.jobs)]
    return _worst(map(_retire_one, files))


def _retire_one(file: JobConfig) -> int:
    if not can(file, "retire"):
        return _act(file, "retire")
    # A job of the fleet that is called so, and none that such a pattern fits.
    name = glob.escape(file.name)
    _tell_fleet("stop-job", name)
    while _tell_fleet("status", name, _has_process):
        time.sleep(STOP_PAUSE)
    code = _act(file, "retire")
    if code == Exit.OK:
        _tell_fleet("retired", file.name)
    return code


def _has_process(answer: Any) -> bool:
    return any(job["pid"] is not None for job in answer["jobs"])


def _tell_fleet(command: str, name: str, judge: Callable[[Any], bool] = bool) -> bool:
    """Ask the fleet for something about a job; returns what `judge` says, False without such a job."""
    try:
        with Client(load_fleet().socket) as client:
            return judge(client.call(command, jobs=[name]))
    except (NotRunning, Refused):
        return False


def _grants(options: argparse.Namespace) -> int:
    return _act(find_job(options.job, "grant rights for"), "grants")


def _consumers(_options: argparse.Namespace) -> int:
    jobs = [file for file in find_jobs([], "list the consumers of") if isinstance(file, JobConfig)]
    codes = []
    for files in _grouped(jobs, "consumers", lambda file: file.job_type.sources(file.settings)):
        readers = [
            word
            for file in files
            for queue, consumer in file.job_type.reads(file.settings)
            for word in (file.name, queue, consumer)
        ]
        codes.append(_act(files[0], "consumers", readers))
    return _worst(codes)


def _schema(options: argparse.Namespace) -> int:
    jobs = find_jobs(options.jobs, "show the schema of")
    groups = _grouped(jobs, "schema", lambda file: file.job_type.targets(file.settings))
    return _worst(_act(files[0], "schema", ["sql"] if options.sql else []) for files in groups)


def _grouped(
    files: Iterable[JobConfig | BrokenConfig], action: str, databases: Callable[[JobConfig], Sequence[str]]
) -> list[list[JobConfig]]:
    """The sound jobs whose type has an action, those with the same databases together.

    Raises:
        TdsupError: there are none.
    """
    groups: dict[tuple[str, ...], list[JobConfig]] = {}
    for file in files:
        if isinstance(file, JobConfig) and can(file, action):
            groups.setdefault((file.section, *databases(file)), []).append(file)
    if not groups:
        raise TdsupError(f"cannot show {action}: no job can; tdsup check tells what is wrong with files")
    return list(groups.values())


def _act(file: JobConfig | BrokenConfig, action: str, arguments: Sequence[str] = ()) -> int:
    """Carry out an action; returns the exit status, after a line to the user if it failed."""
    try:
        if isinstance(file, BrokenConfig):
            raise file.error
        return perform(file, action, arguments)
    except TdsupError as error:
        complain(str(error))
        return Exit.FAILED


def _worst(codes: Iterable[int]) -> int:
    return Exit.FAILED if any(list(codes)) else Exit.OK


def _start_blocked(names: Sequence[str]) -> None:
    """Start those of the jobs that are blocked, if the fleet runs, and say so."""
    try:
        with Client(load_fleet().socket) as client:
            states = {job["name"]: job["state"] for job in client.call("status")["jobs"]}
            blocked = [name for name in names if states.get(name) == "blocked"]
            if blocked:
                answer = client.call("start-job", jobs=[glob.escape(name) for name in blocked])
                say(f"started: {' '.join(answer['changed'])}")
    except NotRunning:
        pass
    except Refused as refusal:
        complain(str(refusal))
