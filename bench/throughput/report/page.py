"""The generated parts of docs/performance.md, and its plot."""

from __future__ import annotations

from collections.abc import Sequence

from bench import page

from ..case import CASES
from . import plot
from .result import Result
from .table import GOAL_HEADER, HEADER, NOTES, goal_rows, markdown, rows


def write(results: Sequence[Result], told: str) -> None:
    """Write results into the page; `told` says where, when and how they were measured.

    Plain cases have a table and a plot, and others have; each is written if it is complete.
    """
    for name, is_plain in (("throughput", True), ("changes", False)):
        of_table = [result for result in results if result.case.is_plain == is_plain]
        if len(of_table) == sum(case.is_plain == is_plain for case in CASES.values()):
            _write(name, of_table, told)


def _write(name: str, results: Sequence[Result], told: str) -> None:
    cases = "\n".join(
        f"- `{result.case.name}`: {result.case.about}, behind by "
        f"{max(run.events for run in result.rounds[0].values()):,}"
        for result in results
    )
    table = markdown(HEADER, rows(results), left=2)
    page.write(
        {
            name: f"Measured {told}. {NOTES}\n\n{cases}\n\n{table}",
            f"{name} goals": markdown(GOAL_HEADER, goal_rows(results), left=2),
        }
    )
    plot.draw(results, page.PAGE.with_name(f"{name}.svg"))
