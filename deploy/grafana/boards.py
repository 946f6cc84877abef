"""Write the boards for Grafana; with --check, say whether they are up to date."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent

WIDTH, HEIGHT = 24, 7
"""Columns of Grafana's grid, and rows of a panel."""

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}

HOSTS = 'instance=~"$instance"'
JOBS = f'job=~"$job",{HOSTS}'


@dataclass(frozen=True)
class Panel:
    """One picture of a board.

    Attributes:
        title: what it shows.
        queries: expressions of Prometheus, each with the text of its legend.
        unit: of the values, in Grafana's words.
        kind: how it is drawn, in Grafana's words.
        columns: how wide it is.
        help: what to look for.
    """

    title: str
    queries: dict[str, str]
    unit: str = "short"
    kind: str = "timeseries"
    columns: int = 12
    help: str = field(default="")


def _by_job(expression: str) -> dict[str, str]:
    return {expression: "{{job}}"}


_EVENTS = f"sum by (job) (rate(tdsup_job_events_total{{{JOBS}}}[$__rate_interval]))"
_STANDS_BY = 'tdsup_job_state{state="standby"} == 1'
_LAG = f"tdsup_job_lag_seconds{{{JOBS}}} unless ignoring (queue, table, state) {_STANDS_BY}"
_STATES = f"sum by (state) (tdsup_job_state{{{HOSTS}}})"
_RESTARTS = f"sum by (job) (increase(tdsup_job_restarts_total{{{JOBS}}}[1h]))"
_OUTCOMES = f"sum by (outcome) (rate(tdsup_job_events_total{{{JOBS}}}[$__rate_interval]))"
_OPERATIONS = f"sum by (operation) (rate(tdsup_job_events_total{{{JOBS}}}[$__rate_interval]))"
_SECONDS = f"sum by (le) (rate(tdsup_job_batch_seconds_bucket{{{JOBS}}}[$__rate_interval]))"
_SIZES = f"sum by (le) (rate(tdsup_job_batch_events_bucket{{{JOBS}}}[$__rate_interval]))"


def _quantiles(buckets: str) -> dict[str, str]:
    return {f"histogram_quantile({share}, {buckets})": f"{share:.0%}" for share in (0.5, 0.95)}


BOARDS: dict[str, tuple[Panel, ...]] = {
    "fleet": (
        Panel("Jobs by state", {_STATES: "{{state}}"}, kind="stat", columns=24),
        Panel("Events a second", _by_job(_EVENTS), "ops"),
        Panel("Lag", _by_job(f"min by (job) ({_LAG})"), "s", help="Of the host that is farthest on."),
        Panel("Dead letters kept", _by_job(f"max by (job) (tdsup_job_dead_letters_kept{{{JOBS}}})")),
        Panel(
            "Restarts in an hour",
            _by_job(_RESTARTS),
        ),
        Panel(
            "Memory",
            _by_job(f"sum by (job) (tdsup_job_resident_memory_bytes{{{JOBS}}})"),
            "bytes",
            help="With what processes share.",
        ),
        Panel(
            "Processor",
            _by_job(f"sum by (job) (rate(tdsup_job_cpu_seconds_total{{{JOBS}}}[$__rate_interval]))"),
            "percentunit",
        ),
        Panel(
            "Files and page",
            {
                f"tdsup_config_last_reload_successful{{{HOSTS}}}": "last reload was sound",
                f"tdsup_web_restarts_total{{{HOSTS}}}": "restarts of the web child",
            },
            kind="stat",
            columns=24,
        ),
    ),
    "job": (
        Panel(
            "State",
            {f"max by (state) (tdsup_job_state{{{JOBS}}}) == 1": "{{state}}"},
            kind="state-timeline",
            columns=24,
        ),
        Panel("Events a second, by operation", {_OPERATIONS: "{{operation}}"}, "ops"),
        Panel("Lag", {f"max by (job, instance) ({_LAG})": "{{job}} {{instance}}"}, "s"),
        Panel("Seconds of a batch", _quantiles(_SECONDS), "s"),
        Panel("Events of a batch", _quantiles(_SIZES)),
        Panel(
            "Batch at work",
            _by_job(f"max by (job) (tdsup_job_open_batch_seconds{{{JOBS}}})"),
            "s",
            help="Far above the seconds of a batch: it is stuck.",
        ),
        Panel(
            "Newest tick",
            {f"min by (queue) (tdsup_job_newest_tick_seconds{{{JOBS}}})": "{{queue}}"},
            "s",
            help="Above 60 s and growing: the ticker is dead.",
        ),
        Panel("Events that wait", _by_job(f"max by (job) (tdsup_job_lag_events{{{JOBS}}})")),
        Panel("Rotation held up", _by_job(f"max by (job) (tdsup_job_rotation_held_seconds{{{JOBS}}})"), "s"),
    ),
    "partitions": (
        Panel(
            "Rows a second, by table",
            {f"sum by (table) (rate(tdsup_job_rows_total{{{JOBS}}}[$__rate_interval]))": "{{table}}"},
            "ops",
        ),
        Panel(
            "Partitions made in a day",
            {f"sum by (table) (increase(tdsup_job_partitions_total{{{JOBS}}}[1d]))": "{{table}}"},
            help="Many at once: rows of odd days.",
        ),
        Panel("Events a second, by outcome", {_OUTCOMES: "{{outcome}}"}, "ops"),
        Panel(
            "Dead letters in an hour",
            {f"sum by (table) (increase(tdsup_job_dead_letters_total{{{JOBS}}}[1h]))": "{{table}}"},
        ),
    ),
}
"""The boards by name: what a person looks at first is on top."""


def _variable(name: str, query: str) -> dict[str, Any]:
    return {
        "name": name,
        "type": "query",
        "datasource": DATASOURCE,
        "query": query,
        "refresh": 2,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
    }


VARIABLES = [
    {"name": "datasource", "type": "datasource", "query": "prometheus"},
    _variable("instance", "label_values(tdsup_build_info, instance)"),
    _variable("job", "label_values(tdsup_job_up, job)"),
]


def board(name: str) -> dict[str, Any]:
    """A board as Grafana imports it."""
    panels, left, top = [], 0, 0
    for number, panel in enumerate(BOARDS[name], 1):
        if left + panel.columns > WIDTH:
            left, top = 0, top + HEIGHT
        panels.append(
            {
                "id": number,
                "type": panel.kind,
                "title": panel.title,
                "description": panel.help,
                "datasource": DATASOURCE,
                "gridPos": {"h": HEIGHT, "w": panel.columns, "x": left, "y": top},
                "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
                "targets": [
                    {"refId": chr(ord("A") + index), "expr": query, "legendFormat": legend}
                    for index, (query, legend) in enumerate(panel.queries.items())
                ],
            }
        )
        left += panel.columns
    return {
        "uid": f"tdsup-{name}",
        "title": f"tdsup: {name}",
        "tags": ["tdsup"],
        "schemaVersion": 39,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "templating": {"list": VARIABLES},
        "links": [{"type": "dashboards", "tags": ["tdsup"], "title": "tdsup", "asDropdown": False}],
        "panels": panels,
    }


def main() -> int:
    """Write or check; the exit status tells whether the boards were up to date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a board is outdated")
    check, outdated = parser.parse_args().check, False
    for name in BOARDS:
        path, text = FOLDER / f"{name}.json", json.dumps(board(name), indent=1) + "\n"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            outdated = True
            if check:
                print(f"{path} is outdated: run .venv/bin/python deploy/grafana/boards.py", file=sys.stderr)
            else:
                path.write_text(text, encoding="utf-8")
    return 1 if check and outdated else 0


if __name__ == "__main__":
    sys.exit(main())
