"""Results as a plot: a line for each case, a mark for each contestant."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from ..contestants.contestant import CONTESTANTS
from .goal import OURS
from .result import Result, rate

COLOURS = {
    "limit": "#1a1a1a",
    "tdsup": "#d1495b",
    "logical": "#e0a030",
    "original": "#30638e",
    "londiste": "#8fa3ad",
}
MARKS = {"limit": "|", "tdsup": "o", "logical": "^", "original": "s", "londiste": "D"}
SIZES = {"limit": 240, "tdsup": 90}
GREY = "#c8ced3"
LINE = 0.42
"""Inches for each case."""


def draw(results: Sequence[Result], path: Path) -> None:
    """Write the plot as SVG, or as the suffix says; the same results give the same file."""
    with mpl.rc_context({"svg.hashsalt": "tdsup", "font.family": "DejaVu Sans", "font.size": 9.5}):
        figure = Figure(figsize=(8.4, 1.35 + LINE * len(results)), layout="constrained")
        axes = figure.subplots()
        for line, result in enumerate(results):
            _draw_case(axes, line, result)
        axes.set_xscale("log")
        axes.set_yticks(range(len(results)), [result.case.name for result in results])
        axes.set_ylim(len(results) - 0.4, -0.6)
        axes.set_xlabel("events per second, logarithmic; medians")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        axes.grid(axis="x", which="major", color=GREY, linewidth=0.7)
        axes.set_axisbelow(True)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        handles, labels = axes.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=len(labels), frameon=False)
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None, dpi=130)


def _draw_case(axes: Axes, line: int, result: Result) -> None:
    medians = {name: result.median(name, rate) for name in result.names}
    axes.hlines(line, min(medians.values()), max(medians.values()), color=GREY, linewidth=1.5, zorder=1)
    for name, median in medians.items():
        axes.scatter(
            median,
            line,
            color=COLOURS[name],
            marker=MARKS[name],
            s=SIZES.get(name, 45),
            linewidths=2.5 if name == "limit" else 0,
            label=CONTESTANTS[name].label if line == 0 else None,
            zorder=3 if name == OURS else 2,
        )
    if OURS in medians:
        axes.annotate(
            f"{medians[OURS]:,.0f}",
            (medians[OURS], line),
            xytext=(0, 7),
            textcoords="offset points",
            ha="center",
            color=COLOURS[OURS],
            fontsize=8,
        )
