"""The table that `tdsup status` prints."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tdsup.jobtype import STATUS_COUNTERS, printable

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR

NUMBERS = frozenset({"PID", "EVENTS/S", "RESTARTS", *(counter.heading for counter in STATUS_COUNTERS)})
"""Columns aligned to the right."""


def duration(seconds: float | None) -> str:
    """Seconds as people say them, in at most two units; a dash for None."""
    if seconds is None:
        return "-"
    if seconds < 10:
        return f"{seconds:.1f}s"
    whole = int(seconds)
    for unit, part, names in ((DAY, HOUR, "dh"), (HOUR, MINUTE, "hm"), (MINUTE, 1, "ms")):
        if whole >= unit:
            return f"{whole // unit}{names[0]}{whole % unit // part}{names[1]}"
    return f"{whole}s"


def _reason(job: Mapping[str, Any]) -> str:
    text, retry = str(job["reason"]), job["retry_in"]
    if retry is not None:
        text = f"retry in {duration(retry)}: {text}"
    if job["last_error"] and job["last_error"] != job["reason"]:
        past = f"last error {duration(job['last_error_age'])} ago: {job['last_error']}"
        text = f"{text}; {past}" if text else past
    return " ".join(text.split())


def _counter(name: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda job: f"{job[name]:.0f}"


COLUMNS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "JOB": lambda job: str(job["name"]),
    "STATE": lambda job: str(job["state"]),
    "PID": lambda job: str(job["pid"] or "-"),
    "SINCE": lambda job: duration(job["since"]),
    "EVENTS/S": lambda job: f"{job['events_per_second']:.0f}",
    "LAG": lambda job: duration(job["lag"]),
    **{counter.heading: _counter(counter.name) for counter in STATUS_COUNTERS if counter.heading},
    "RESTARTS": lambda job: str(job["restarts"]),
    "REASON": _reason,
}
"""What to show of a job, by heading of the column."""


def render(status: Mapping[str, Any], width: int) -> str:
    """The answer of the `status` command as a table.

    Args:
        status: the answer.
        width: columns of the terminal, at which lines of the table are cut; 0: no limit.
    """
    rows = [list(COLUMNS), *([printable(show(job)) for show in COLUMNS.values()] for job in status["jobs"])]
    lines = _aligned(rows)
    if not status["jobs"]:
        lines.append("(no jobs)")
    if status.get("web_error"):
        lines.append(printable(f"web: {status['web_error']}"))
    # What a person is to do is told whole.
    lines += [printable(f"watcher: {line}") for line in status.get("watchers", ())]
    whole = [printable(f"left: {line}") for line in status.get("left", ())]
    return "\n".join([*(_cut(line, width) for line in lines), *whole])


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    right = [heading in NUMBERS for heading in rows[0]]
    return [
        "  ".join(
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(row, widths, right, strict=True)
        ).rstrip()
        for row in rows
    ]


def _cut(line: str, width: int) -> str:
    return line if not width or len(line) <= width else line[: width - 1] + "…"
