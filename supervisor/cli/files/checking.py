"""``tdsup check``: what is wrong with job files, and with the databases of their jobs."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from ...config import (
    HEADLESS,
    BrokenConfig,
    FleetSettings,
    JobConfig,
    clashes,
    compare,
    load_fleet,
    passed_over,
    paths,
    scan,
    settle,
    shares,
)
from ...errors import ConfigError
from ...exits import Exit
from ...worker import inspect_skylog
from ..acting.perform import perform
from ..speech import complain, say
from .exposure import exposed


def check(options: argparse.Namespace) -> int:
    """Tell all that is wrong or odd with job files and, if asked, with their databases."""
    settings = load_fleet()
    missing = [name for name in options.files or _promised(settings) if not paths([name])]
    for name in missing:
        complain(f"cannot check {name}: no such file")
    tickers = {} if options.files else settings.tickers
    files = scan(options.files or settings.jobs, settings.defaults, tickers, skylog=settings.skylog)
    over = passed_over(options.files or settings.jobs)
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
    for line in dict.fromkeys([*over, *lines, *between, *shares(files), *exposed(settings, files)]):
        complain(line)
    sound = [file for file in found.added.values() if _can_log(file)]
    if not options.connect:
        say(_count(sound, files))
    if old := [file.name for file in sound if file.of_original and file.section == HEADLESS]:
        say(f"written for table_dispatcher itself: {' '.join(old)}; docs/migrating.md says what to look at")
    if options.connect:
        sound = [file for file in sound if perform(file, "check") == Exit.OK]
        say(_count(sound, files))
    if options.files and {*paths(settings.jobs)} - {*paths(options.files)}:
        say("not compared with the fleet's other files: tdsup check does that")
    fine = len(sound) == len(files) and not (missing or over or shared)
    return Exit.OK if fine else Exit.FAILED


def _count(able: Sequence[JobConfig], files: Sequence[JobConfig | BrokenConfig]) -> str:
    """How many of the jobs can run, as far as was looked."""
    count = len({file.path for file in files})
    where = f" (in {count} file{'s' if count > 1 else ''})" if count != len(files) else ""
    return f"{len(able)} of {len(files)} jobs can run{where}"


def _promised(settings: FleetSettings) -> list[str]:
    """Globs that should fit some file: a fleet of tickers alone needs none, unless it names some."""
    return [] if settings.tickers and "jobs" not in settings.model_fields_set else settings.jobs


def _can_log(file: JobConfig) -> bool:
    """Whether the skylog.ini of a job, if it uses one, can be used; if not, tell why."""
    try:
        inspect_skylog(file)
    except ConfigError as error:
        complain(str(error))
        return False
    return True
