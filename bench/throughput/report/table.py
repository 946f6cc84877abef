"""Results as tables, for the terminal and for a page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..contestants.contestant import CONTESTANTS
from .goal import OURS, goals
from .result import Result, peak, rate, source_cpu, target_cpu, worker_cpu

Row = Sequence[str]

HEADER = (
    "case",
    "contestant",
    "events",
    "events/s",
    "min",
    "max",
    "of limit",
    "tdsup times",
    "worker CPU",
    "source CPU",
    "target CPU",
    "peak RSS",
)

NOTES = (
    "CPU is in seconds per million events, of the contestant's process and of all processes of each server; "
    "peak RSS is in MB. Of limit: times as fast as the limit; tdsup times: how many times as fast tdsup is; "
    "both are medians of the rounds' ratios. The slow contestants get the first events only, as many "
    "as the table says."
)
"""How to read the tables."""

NONE = "-"
"""An empty cell."""

GOAL_HEADER = ("case", "figure", "wanted", "measured", "verdict")


def rows(results: Iterable[Result]) -> list[Row]:
    """A row for each case and contestant; CPU in seconds per million events, RSS in MB."""
    return [_row(result, name) for result in results for name in result.names]


def goal_rows(results: Sequence[Result]) -> list[Row]:
    """A row for each figure to reach."""
    return [
        (
            goal.case,
            goal.what,
            f"{'at least' if goal.floor else 'at most'} {goal.wanted:g}",
            f"{goal.measured:.2f}",
            "reached" if goal.reached else "missed",
        )
        for goal in goals(results)
    ]


def aligned(header: Row, body: Sequence[Row], left: int) -> str:
    """For a terminal: columns two spaces apart, the first `left` of them to the left."""
    widths = [max(map(len, column)) for column in zip(header, *body, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if number < left else cell.rjust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in (header, *body)
    )


def markdown(header: Row, body: Sequence[Row], left: int) -> str:
    """For a page; ours in bold."""
    rule = ["---" if number < left else "--:" for number in range(len(header))]
    lines = [_line(header), f"|{'|'.join(rule)}|"]
    lines += [_line([f"**{cell}**" for cell in row] if OURS in row else row) for row in body]
    return "\n".join(lines) + "\n"


def _line(cells: Row) -> str:
    return f"| {' | '.join(cells)} |"


def _row(result: Result, name: str) -> Row:
    rates = result.values(name, rate)
    names = result.names
    return (
        result.case.name,
        CONTESTANTS[name].label,
        f"{result.rounds[0][name].events:,}",
        f"{result.median(name, rate):,.0f}",
        f"{rates[0]:,.0f}",
        f"{rates[-1]:,.0f}",
        f"{result.ratio(name, 'limit'):.2f}" if "limit" in names else NONE,
        f"{result.ratio(OURS, name):.2f}" if OURS in names and name != OURS else NONE,
        *(f"{result.median(name, cpu):.2f}" for cpu in (worker_cpu, source_cpu, target_cpu)),
        f"{result.median(name, peak):.1f}",
    )
