"""Commands that have job types act on jobs, whether the fleet runs or not."""

from __future__ import annotations

import argparse
import glob
import logging
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from typing import Any

from ... import logs
from ...config import BrokenConfig, JobConfig
from ...errors import NotRunning, Refused, TdsupError
from ...exits import Exit
from ...protocol import Client, control_socket
from ..parsers import Run
from ..speech import complain, name_fleet, say
from .jobsearch import find_job, find_jobs, is_file
from .perform import can, perform

CHANGING = frozenset({"replay", "purge"})
"""What can be done with dead letters that changes something."""

STOP_PAUSE = 0.2
"""Seconds between two looks whether a job has ended."""


def _aloud(run: Run) -> Run:
    """What actions log, the user sees too."""

    @wraps(run)
    def heard(options: argparse.Namespace) -> int:
        logs.add_stderr()
        logs.set_level(logging.INFO)
        return run(options)

    return heard


@_aloud
def dead_letters(options: argparse.Namespace) -> int:
    """List, show, replay or purge."""
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
    if action in CHANGING:
        _name_fleet_of(options, [options.job])
    return _act(file, action, arguments)


def _name_fleet_of(options: argparse.Namespace, names: Sequence[str]) -> None:
    """Tell whose jobs they are; a file says so itself."""
    if not all(map(is_file, names)):
        name_fleet(options)


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


@_aloud
def rewind(options: argparse.Namespace) -> int:
    """Have sources send again what targets lack; then start what was blocked."""
    found = find_jobs(options.jobs, "rewind")
    files = [file for file in found if file.name in options.jobs or _may(file, "rewind")]
    _name_fleet_of(options, options.jobs)
    arguments = ["dry-run"] if options.dry_run else []
    mended = [file.name for file in files if _act(file, "rewind", arguments) == Exit.OK]
    if not options.dry_run:
        _start_blocked(mended)
    return Exit.OK if len(mended) == len(files) else Exit.FAILED


def _may(file: JobConfig | BrokenConfig, action: str) -> bool:
    """Whether a pattern means this job: others that it fits, such as tickers, have no such action."""
    return isinstance(file, BrokenConfig) or can(file, action)


@_aloud
def skip(options: argparse.Namespace) -> int:
    """Pass over a batch; then start the job."""
    file = find_job(options.job, "skip a batch of")
    _name_fleet_of(options, [options.job])
    code = _act(file, "skip")
    if code == Exit.OK:
        _start_blocked([file.name])
    return code


@_aloud
def takeover(options: argparse.Namespace) -> int:
    """Take a job over from a frozen process."""
    file = find_job(options.job, "take over")
    _name_fleet_of(options, [options.job])
    return _act(file, "takeover")


@_aloud
def retire(options: argparse.Namespace) -> int:
    """End jobs for good."""
    files = [find_job(name, "retire") for name in dict.fromkeys(options.jobs)]
    _name_fleet_of(options, options.jobs)
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
        with Client(control_socket()) as client:
            return judge(client.call(command, jobs=[name]))
    except (NotRunning, Refused):
        return False


@_aloud
def grants(options: argparse.Namespace) -> int:
    """Print the least rights."""
    return _act(find_job(options.job, "grant rights for"), "grants")


@_aloud
def partitions(options: argparse.Namespace) -> int:
    """List partitions, or print what would be done about them."""
    wanted = {"json": options.json, "dry-run": options.dry_run}
    if all(wanted.values()):
        raise TdsupError(f"cannot list the partitions of {options.job}: --dry-run prints SQL, and no --json")
    file = find_job(options.job, "list the partitions of")
    return _act(file, "partitions", [word for word, is_wanted in wanted.items() if is_wanted])


@_aloud
def consumers(_options: argparse.Namespace) -> int:
    """List the consumers at all sources."""
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


@_aloud
def schema(options: argparse.Namespace) -> int:
    """Show what targets keep."""
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
        with Client(control_socket()) as client:
            states = {job["name"]: job["state"] for job in client.call("status")["jobs"]}
            blocked = [name for name in names if states.get(name) == "blocked"]
            if blocked:
                answer = client.call("start-job", jobs=[glob.escape(name) for name in blocked])
                say(f"started: {' '.join(answer['changed'])}")
    except NotRunning:
        pass
    except Refused as refusal:
        complain(str(refusal))
