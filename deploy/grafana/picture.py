"""Draw the boards as pictures, from a Prometheus that watches a fleet: a look at them without Grafana."""

from __future__ import annotations

import argparse
import json
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent

SAMPLES = 120
"""Points of a line."""


def ask(url: str, expression: str, seconds: float) -> list[dict[str, Any]]:
    """The series of an expression over the last seconds."""
    end = time.time()
    words = {"query": expression, "start": end - seconds, "end": end, "step": seconds / SAMPLES}
    with urllib.request.urlopen(f"{url}/api/v1/query_range?{urllib.parse.urlencode(words)}") as answer:  # noqa: S310
        found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
        return found


def filled_in(expression: str) -> str:
    """An expression with Grafana's variables as they are when a board is opened."""
    values = {"$__rate_interval": "1m", "$instance": ".*", "$job": ".*"}
    for name, value in values.items():
        expression = expression.replace(name, value)
    return expression


def legend(text: str, labels: dict[str, str]) -> str:
    """A legend with the labels of a series."""
    for name, value in labels.items():
        text = text.replace("{{" + name + "}}", value)
    return text


def draw(url: str, board: dict[str, Any], seconds: float, path: Path) -> None:
    """Draw one board."""
    from matplotlib.figure import Figure

    rows = max(panel["gridPos"]["y"] for panel in board["panels"]) // 7 + 1
    figure = Figure(figsize=(14, 3 * rows), layout="constrained")
    grid = figure.add_gridspec(rows, 2)
    figure.suptitle(board["title"])
    for panel in board["panels"]:
        place = panel["gridPos"]
        left, right = place["x"] // 12, (place["x"] + place["w"]) // 12
        axes = figure.add_subplot(grid[place["y"] // 7, left:right])
        unit = panel["fieldConfig"]["defaults"]["unit"]
        axes.set_title(f"{panel['title']} ({unit})" if unit != "short" else panel["title"], fontsize=9)
        axes.tick_params(labelsize=7)
        for target in panel["targets"]:
            for series in ask(url, filled_in(target["expr"]), seconds):
                moments = [float(moment) for moment, _value in series["values"]]
                values = [float(value) for _moment, value in series["values"]]
                name = legend(target["legendFormat"], series["metric"])
                axes.plot([moment - moments[-1] for moment in moments], values, label=name)
        highest = max((max(line.get_ydata()) for line in axes.get_lines()), default=0)
        axes.set_ylim(0, 1.3 * highest or 1)
        if axes.get_lines():
            axes.legend(fontsize=6, loc="upper left", ncols=2)
    figure.savefig(path, dpi=70)


def main() -> int:
    """Draw all boards."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", metavar="URL", help="of Prometheus, such as http://127.0.0.1:9090")
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="where the pictures go")
    parser.add_argument("--seconds", type=float, default=3600, help="how far back (default: 3600)")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(FOLDER.glob("*.json")):
        board = json.loads(path.read_text(encoding="utf-8"))
        draw(options.url, board, options.seconds, options.folder / f"{path.stem}.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
