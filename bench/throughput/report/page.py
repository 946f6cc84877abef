"""The generated parts of docs/performance.md, and its plot."""

from __future__ import annotations

from collections.abc import Sequence

from bench import page

from . import plot
from .result import Result
from .table import GOAL_HEADER, HEADER, NOTES, goal_rows, markdown, rows

PLOT = page.PAGE.with_suffix(".svg")


def write(results: Sequence[Result], told: str) -> None:
    """Write results into the page; `told` says where, when and how they were measured."""
    cases = "\n".join(
        f"- `{result.case.name}`: {result.case.about}, behind by "
        f"{max(run.events for run in result.rounds[0].values()):,}"
        for result in results
    )
    table = markdown(HEADER, rows(results), left=2)
    page.write(
        {
            "throughput": f"Measured {told}. {NOTES}\n\n{cases}\n\n{table}",
            "throughput goals": markdown(GOAL_HEADER, goal_rows(results), left=2),
        }
    )
    plot.draw(results, PLOT)
