"""All that is known of one job: what it does, its settings, where it stands in its databases, what it did."""

from __future__ import annotations

import argparse
import glob
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tdsup.jobtype import duration, printable

from ...chronicle import Change, changes
from ...config import FleetSettings, load_fleet, settings_of
from ...errors import NotRunning, Refused
from ...exits import Exit
from ...protocol import Client
from ..speech import complain, say
from .jobsearch import find_job
from .perform import can, perform

LATEST = 5
"""Changes of state that `show` tells; `history` tells all."""


def show(options: argparse.Namespace) -> int:
    """Show all about a job; what cannot be told, such as of a database that is away, stops nothing else."""
    fleet = load_fleet()
    job = find_job(options.job, "show")
    _chapter("now", _now(fleet, job.name))
    rows = [(each.key, each.value, each.origin) for each in settings_of(job, fleet)]
    _chapter("settings", _table(rows))
    _chapter("latest changes", _told(_changes(fleet, job.name)[-LATEST:]))
    say("databases")
    return perform(job, "stand") if can(job, "stand") else Exit.OK


def history(options: argparse.Namespace) -> int:
    """Show what a job has done, over restarts of the fleet."""
    fleet = load_fleet()
    if not (known := _changes(fleet, options.job)):
        # The name may be mistyped.
        find_job(options.job, "show the history of")
    for line in _told(known[-options.lines :] if options.lines else []):
        say(line)
    return Exit.OK


def _changes(fleet: FleetSettings, name: str) -> list[Change]:
    if "/" in name:
        return []
    try:
        return list(changes(Path(fleet.state), name))
    except FileNotFoundError:
        return []
    except OSError as error:
        complain(f"cannot read the history of {name}: {error.filename}: {error.strerror}")
        return []


def _told(known: Iterable[Change]) -> Iterator[str]:
    """Each change with its time, as logs write it, and how long it lasted."""
    found = list(known)
    ends = [*(change.at for change in found[1:]), *([time.time()] if found else [])]
    rows = []
    for change, end in zip(found, ends, strict=True):
        moment = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(change.at))
        who = f"pid {change.pid}" if change.pid else ""
        rows.append((moment, change.state, duration(max(0.0, end - change.at)), who, change.reason))
    return _table(rows)


def _now(fleet: FleetSettings, name: str) -> Iterator[str]:
    try:
        with Client(fleet.socket) as client:
            (job,) = client.call("status", jobs=[glob.escape(name)])["jobs"]
    except (NotRunning, Refused) as error:
        return iter([str(error)])
    return _table(_facts(job))


def _facts(job: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What the master says of a job, as far as there is something to say."""
    yield (
        "state",
        f"{job['state']} for {duration(job['since'])}" + (f", pid {job['pid']}" if job["pid"] else ""),
    )
    if job["reason"]:
        yield "reason", job["reason"]
    if job["retry_in"] is not None:
        yield "tries again", f"in {duration(job['retry_in'])}"
    if job["lag"] is not None:
        yield "lag", duration(job["lag"])
    if job["last_error"]:
        yield "last error", f"{duration(job['last_error_age'])} ago: {job['last_error']}"
    yield "events", f"{job['events']:.0f}, {job['events_per_second']:.0f} a second at present"
    if job["dead_letters_kept"]:
        yield "dead letters", f"{job['dead_letters_kept']:.0f}: tdsup dead-letters {job['name']} list"
    yield "restarts", str(job["restarts"])
    yield "file", str(job["file"])
    if job["log"]:
        yield "log", job["log"]


def _chapter(title: str, lines: Iterable[str]) -> None:
    say(title)
    for line in lines:
        say(f"  {line}")


def _table(rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """Columns beneath each other; of a value with several lines, each is escaped into one."""
    shown = [[printable(" ".join(cell.split())) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    for row in shown:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
