"""The table that `tdsup status` prints."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from tdsup.jobtype import STATUS_NUMBERS, duration, printable

NUMBERS = frozenset({"PID", "EVENTS/S", "RESTARTS", *(number.heading for number in STATUS_NUMBERS)})
"""Columns aligned to the right."""

URGENCY = ("blocked", "backoff", "starting", "stopping", "standby", "running", "paused", "stopped")
"""States, those first that a person should look at first."""

DISPENSABLE = ("PARTITIONS", "PID", "RESTARTS", "EVENTS/S", "SINCE")
"""Columns that a narrow terminal does without, in this order."""

REMARKS = {"trouble": "in trouble", "held_up": "held up"}
"""What may be wrong with a job that runs, by its name in the answer."""

INDENT = "    "
"""Before a reason on a line of its own."""

Job = Mapping[str, Any]


def told(seconds: float | None) -> str:
    """A duration; a dash for None."""
    return "-" if seconds is None else duration(seconds)


def _reason(job: Job) -> str:
    text, retry = str(job["reason"]), job["retry_in"]
    if retry is not None:
        text = f"retry in {duration(retry)}: {text}"
    if job["state"] == "blocked" and "tdsup" not in text:
        text += f"; {_remedy(job)}"
    if job["last_error"] and job["last_error"] != job["reason"]:
        past = f"last error {duration(job['last_error_age'])} ago: {job['last_error']}"
        text = f"{text}; {past}" if text else past
    return printable(" ".join(text.split()))


def _remedy(job: Job) -> str:
    """What a person can do about a blocked job."""
    if job["type"] is None:
        return "mend the file, then: tdsup reload"
    return f"tdsup check --connect {job['file']} tells more; once it is mended: tdsup start-job {job['name']}"


def _number(name: str) -> Callable[[Job], str]:
    return lambda job: "-" if job[name] is None else f"{job[name]:.0f}"


COLUMNS: dict[str, Callable[[Job], str]] = {
    "JOB": lambda job: printable(str(job["name"])),
    "STATE": lambda job: str(job["state"]),
    "PID": lambda job: str(job["pid"] or "-"),
    "SINCE": lambda job: duration(job["since"]),
    "EVENTS/S": lambda job: f"{job['events_per_second']:.0f}",
    "LAG": lambda job: told(job["lag"]),
    **{number.heading: _number(number.name) for number in STATUS_NUMBERS if number.heading},
    "RESTARTS": lambda job: str(job["restarts"]),
}
"""What to show of a job, by heading of the column; its reason comes after them."""


def render(status: Mapping[str, Any], width: int = 0, height: int = 0) -> str:
    """The answer of the `status` command as a table; jobs that fail come first.

    Args:
        status: the answer.
        width: columns of the terminal: a reason has lines of its own. 0: it is no terminal, and a job is one
            line, for programs that look for it.
        height: lines of the terminal, which the text fits; it says what it leaves out. 0: all is shown.
    """
    jobs = sorted(status["jobs"], key=_urgency)
    faults = [f"web: {status['web_error']}"] if status.get("web_error") else []
    faults += [f"watcher: {line}" for line in status.get("watchers", ())]
    # What a person is to do is told whole.
    faults += [f"left: {line}" for line in status.get("left", ())]
    below = [printable(line) for line in faults] + [summary(jobs) + _remarks(jobs)]
    blocks = _blocks(jobs, width, is_short=bool(height))
    heading, shown = blocks[:1], blocks[1:]
    room = height - sum(map(len, heading)) - len(below)
    if height and sum(map(len, shown)) > room:
        shown = _fitting(shown, room - 1)
        hidden = jobs[len(shown) :]
        below.insert(0, f"not shown: {_counts(hidden)}")
    return "\n".join([line for block in (*heading, *shown) for line in block] + below)


def _urgency(job: Job) -> tuple[int, bool, bool, bool]:
    """Where a job stands in the table: what a person should look at comes first."""
    is_late = bool(job["trouble"] and job["lag"])
    return URGENCY.index(job["state"]), not is_late, not (job["trouble"] or job["held_up"]), not job["reason"]


def summary(jobs: Sequence[Job]) -> str:
    """How many jobs there are, and of each state how many."""
    if not jobs:
        return "no jobs"
    return f"{len(jobs)} job{'s' * (len(jobs) > 1)}: {_counts(jobs)}"


def _remarks(jobs: Iterable[Job]) -> str:
    """How many jobs run, and fare badly."""
    faults = Counter(fault for job in jobs for name, fault in REMARKS.items() if job[name])
    return "".join(f"; {number} {fault}" for fault, number in faults.items())


def _counts(jobs: Iterable[Job]) -> str:
    counts = Counter(str(job["state"]) for job in jobs)
    return ", ".join(f"{counts[state]} {state}" for state in URGENCY if counts[state])


def _blocks(jobs: Sequence[Job], width: int, *, is_short: bool) -> list[list[str]]:
    """The heading, then the lines of each job."""
    columns = dict(COLUMNS) if width else {**COLUMNS, "REASON": _reason}
    lines = _aligned(columns, jobs)
    for heading in DISPENSABLE:
        if width and max(map(len, lines)) > width:
            del columns[heading]
            lines = _aligned(columns, jobs)
    blocks = [[_cut(line, width)] for line in lines]
    if width:
        for block, job in zip(blocks[1:], jobs, strict=True):
            if reason := _reason(job):
                line = INDENT + reason
                block += [_cut(line, width)] if is_short else _wrapped(line, width)
    return blocks


def _aligned(columns: Mapping[str, Callable[[Job], str]], jobs: Sequence[Job]) -> list[str]:
    rows = [list(columns), *([show(job) for show in columns.values()] for job in jobs)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    right = [heading in NUMBERS for heading in columns]
    return [
        "  ".join(
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(row, widths, right, strict=True)
        ).rstrip()
        for row in rows
    ]


def _fitting(blocks: Sequence[list[str]], room: int) -> list[list[str]]:
    """As many blocks from the first one on as there is room for."""
    fitting: list[list[str]] = []
    for block in blocks:
        room -= len(block)
        if room < 0:
            break
        fitting.append(block)
    return fitting


def _wrapped(line: str, width: int) -> list[str]:
    return textwrap.wrap(line, width, subsequent_indent=INDENT, break_on_hyphens=False)


def _cut(line: str, width: int) -> str:
    return line if not width or len(line) <= width else line[: width - 1] + "…"
