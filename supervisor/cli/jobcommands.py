"""Commands that work on jobs by their files and databases, whether the fleet runs or not."""

from __future__ import annotations

import argparse
import logging
from typing import Any

from .. import logs
from ..config import (
    BrokenConfig,
    JobConfig,
    clashes,
    compare,
    load_fleet,
    paths,
    scan,
    settle,
    shares,
)
from ..errors import UnknownJob
from ..exits import Exit
from . import completion
from .answers import complain, say
from .parsers import add_command
from .perform import perform

LETTER_ACTIONS = ("list", "show", "replay", "purge")
"""What can be done with dead letters, by the names of job types' actions."""


def add_job_commands(commands: Any) -> None:
    """Add them to the parser."""
    _add_check(commands)
    _add_letters(commands)


def _add_check(commands: Any) -> None:
    check = add_command(
        commands,
        "check",
        "Check job files (default: those of the fleet) and tell all their faults; the fleet need not run.",
        "tdsup check --connect conf.d/orders.ini",
        _check,
    )
    files = check.add_argument("files", metavar="FILE", nargs="*", help="the files")
    completion.offer(files, completion.FILES)
    check.add_argument(
        "--connect", action="store_true", help="look at the databases too, without changing anything"
    )


def _add_letters(commands: Any) -> None:
    letters = add_command(
        commands,
        "dead-letters",
        "List, show, replay or purge events of a job that could not be loaded; the fleet need not run.",
        "tdsup dead-letters orders replay 7",
        _dead_letters,
    )
    job = letters.add_argument("job", metavar="JOB", help="name of the job")
    completion.offer(job, completion.JOBS)
    letters.add_argument("action", choices=LETTER_ACTIONS, help="what to do with them")
    letters.add_argument("ids", metavar="ID", nargs="*", help="which ones (default: all; show needs one)")


def find_job(job: str, verb: str) -> JobConfig:
    """The config of a job; the fleet need not run."""
    settings = load_fleet()
    for file in scan(settings.jobs, settings.defaults):
        if file.name == job:
            if isinstance(file, BrokenConfig):
                raise file.error
            return file
    raise UnknownJob(f"cannot {verb} {job}: no job has that name")


def _check(options: argparse.Namespace) -> int:
    """Tell all that is wrong or odd with job files and, if asked, with their databases."""
    settings = load_fleet()
    missing = [name for name in options.files or settings.jobs if not paths([name])]
    for name in missing:
        complain(f"cannot check {name}: no such file")
    files = scan(options.files or settings.jobs, settings.defaults)
    shared = clashes(files)
    found = compare([], files)
    settle(found, [])
    lines = [
        line
        for file in files
        for line in (file.error.lines if isinstance(file, BrokenConfig) else file.warnings)
    ]
    between = [*shared, *(line for file in found.broken.values() for line in file.error.lines)]
    # What is wrong with the defaults of a file is wrong with each of its jobs.
    for line in dict.fromkeys([*lines, *between, *shares(files)]):
        complain(line)
    sound = list(found.added.values())
    count = len({file.path for file in files})
    where = f" (in {count} file{'s' if count > 1 else ''})" if count != len(files) else ""
    say(f"{len(sound)} of {len(files)} jobs can run{where}")
    codes = [perform(file, "check") for file in sound] if options.connect else []
    fine = len(sound) == len(files) and not (missing or shared or any(codes))
    return Exit.OK if fine else Exit.FAILED


def _dead_letters(options: argparse.Namespace) -> int:
    """Do something with the dead letters of a job."""
    file = find_job(options.job, f"{options.action} dead letters of")
    logs.add_stderr()
    logs.set_level(logging.INFO)
    return perform(file, options.action, options.ids)
