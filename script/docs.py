"""Write what is generated of docs and manifests; with --check, say whether it is up to date."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from textwrap import indent

from pydantic import AliasChoices, BaseModel
from pydantic.fields import FieldInfo
from tdsup.dispatcher.metrics import METRICS
from tdsup.dispatcher.rights import grants
from tdsup.dispatcher.settings import Settings
from tdsup.dispatcher.ticking.tickernumbers import TICKER_METRICS
from tdsup.dispatcher.ticking.tickersettings import TickerSettings
from tdsup.jobtype import Metric, is_filled_in, no_effect_reason
from tdsup.supervisor.config.fleetsettings import FleetSettings
from tdsup.supervisor.config.jobsettings import JobSettings
from tdsup.supervisor.config.options import shown_default
from tdsup.supervisor.exits import MEANINGS, Exit
from tdsup.supervisor.protocol.commands import COMMANDS
from tdsup.supervisor.web.prometheus import KINDS
from tdsup.supervisor.worker.processmetrics import PROCESS_METRICS

sys.path.append(str(Path(__file__).parents[1] / "tests"))

from harness.rows.outcomes import CASES, NOON
from harness.servers.versions import DEBIAN, NEWEST, OLDEST, PINNED, VERSIONS

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"

LONGEST = 150
"""Characters of a cell that are shown."""


def render(text: str, blocks: Mapping[str, str]) -> str:
    """The page with its generated blocks replaced.

    Raises:
        AssertionError: it has no place for one.
    """
    for name, block in blocks.items():
        start, end = f"<!-- generated: {name} -->\n", "<!-- end -->"
        before, begun, rest = text.partition(start)
        _old, ended, after = rest.partition(end)
        assert begun, f"there is no place for {name}"
        assert ended, f"the place for {name} has no end"
        text = before + start + block + end + after
    return text


def _outcomes() -> str:
    """The table of events and their outcomes, chapter by chapter."""
    lines = []
    for chapter, cases in CASES.items():
        lines += [
            "",
            f"### {chapter}",
            "",
            "| event | `ev_type` | `ev_data` | outcome |",
            "|---|---|---|---|",
        ]
        for case in cases:
            data = (
                "NULL"
                if case.data is None
                else f"`{_cell(case.data.replace(NOON, 'at=…'))}`"
                if case.data
                else ""
            )
            outcome = str(case.outcome).replace(".*", "…")
            native = f"; in native partitions: {case.native}".replace(".*", "…") if case.native else ""
            lines.append(f"| {case.what} | `{_cell(case.type)}` | {data} | {_cell(outcome + native)} |")
    return "\n".join(lines) + "\n\n"


def _cell(text: str) -> str:
    short = text if len(text) <= LONGEST else text[:LONGEST] + "…"
    return short.replace("|", r"\|").replace("\n", " ")


def _table(model: type[BaseModel]) -> str:
    lines = ["| key | default | meaning |", "|---|---|---|"]
    shared = JobSettings.model_fields if model in (Settings, TickerSettings) else {}
    lines += [
        _line(name, field)
        for name, field in model.model_fields.items()
        if name not in shared and not is_filled_in(field)
    ]
    return "\n".join(lines) + "\n"


def _line(name: str, field: FieldInfo) -> str:
    alias = field.validation_alias
    keys = [str(key) for key in alias.choices] if isinstance(alias, AliasChoices) else [name]
    reason = no_effect_reason(field)
    meaning = f"Accepted, without effect: {reason}." if reason else field.description
    default = "required" if field.is_required() else shown_default(field)
    shown = f"`{default}`" if default and default != "required" else default
    return f"| {', '.join(f'`{key}`' for key in keys)} | {shown} | {meaning} |".replace("  ", " ")


def _commands() -> str:
    """The commands of the master that are for people."""
    lines = ["| command | does | example |", "|---|---|---|"]
    lines += [
        f"| `{command.name}` | {command.help} | `{command.example.replace('|', chr(92) + '|')}` |"
        for command in COMMANDS.values()
        if command.people
    ]
    return "\n".join(lines) + "\n"


def _metrics(metrics: Iterable[Metric], *own_labels: str) -> str:
    """Numbers of jobs, whose type has labels of its own."""
    lines = ["| series | labels | meaning |", "|---|---|---|"]
    for metric in metrics:
        _kind, suffix, sample = KINDS[metric.kind]
        labels = ", ".join(("job", *own_labels, *metric.labels))
        kind = " Histogram." if metric.kind == "histogram" else ""
        lines.append(f"| `tdsup_job_{metric.name}{suffix}{sample}` | {labels} | {metric.help}{kind} |")
    return "\n".join(lines) + "\n"


def _exits() -> str:
    """Exit statuses, and what runs a fleet makes of them."""
    lines = ["| status | means | the unit of systemd | a container |", "|---|---|---|---|"]
    for code, meaning in MEANINGS.items():
        unit, container = AFTER.get(code, AFTERWARDS)
        lines.append(f"| {int(code)} | {meaning} | {unit} | {container} |")
    return "\n".join(lines) + "\n"


AFTERWARDS = "is restarted after 5 s", "is restarted with growing waits"
AFTER = {
    Exit.OK: ("is inactive", "is done; Kubernetes starts it again"),
    Exit.USAGE: ("fails, and stays so", AFTERWARDS[1]),
    Exit.SETUP: ("fails, and stays so", AFTERWARDS[1]),
}
"""What becomes of a service or a container that ends so; AFTERWARDS of all others."""


def _servers() -> str:
    """The versions of PostgreSQL that are tried."""
    lines = ["| PostgreSQL | from | PgQ | tried |", "|---|---|---|---|"]
    for version in VERSIONS:
        package = f"`@embedded-postgres` {PINNED[version]}" if version in PINNED else "Debian 12"
        form = "without C" if version in PINNED else "extension"
        when = "each run of the tests" if version in (OLDEST, DEBIAN, NEWEST) else "`script/compatibility`"
        lines.append(f"| {version} | {package} | {form} | {when} |")
    return "\n".join(lines) + "\n"


def _grants() -> str:
    """The SQL of least rights for a job that changes rows and makes partitions."""
    keys = {
        "job_name": "orders",
        "src_db": "host=shop dbname=shop user=reader",
        "dst_db": "host=archive dbname=archive user=writer",
        "pgq_queue_name": "orders",
        "dest_table": "orders",
        "part_field": "day",
    }
    return "```sql\n" + "\n".join(grants(Settings.model_validate(keys))).rstrip() + "\n```\n"


BLOCKS: dict[str, dict[str, Callable[[], str]]] = {
    "jobs.md": {"dispatcher": partial(_table, Settings), "supervisor": partial(_table, JobSettings)},
    "fleet.md": {
        "commands": _commands,
        "fleet": partial(_table, FleetSettings),
        "tickers": partial(_table, TickerSettings),
        "exits": _exits,
    },
    "metrics.md": {
        "metrics": partial(_metrics, (*PROCESS_METRICS, *METRICS), "queue", "table"),
        "tickers": partial(_metrics, TICKER_METRICS),
    },
    "compatibility.md": {"servers": _servers},
    "outcomes.md": {"outcomes": _outcomes},
    "security.md": {"grants": _grants},
}
"""What makes each generated block, by page and name."""


def _files() -> Iterator[tuple[Path, str]]:
    """Files that are generated, in parts or whole, and what each has to hold."""
    for name, blocks in BLOCKS.items():
        text = (DOCS / name).read_text(encoding="utf-8")
        yield DOCS / name, render(text, {block: make() for block, make in blocks.items()})
    rules = (ROOT / "deploy/prometheus/tdsup.rules.yml").read_text(encoding="utf-8")
    operator = ROOT / "deploy/kubernetes/components/prometheus-operator"
    yield operator / "prometheusrule.yaml", RULE + indent(rules, "  ")


RULE = """\
# The rules of deploy/prometheus/tdsup.rules.yml, which script/docs.py puts here: change them there.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: tdsup
spec:
"""
"""What comes before the rules for Prometheus to make a resource of its operator."""


def main() -> int:
    """Write or check; the exit status tells whether the page was up to date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if the page is outdated")
    check = parser.parse_args().check
    outdated = False
    for path, new in _files():
        old = path.read_text(encoding="utf-8")
        if check and new != old:
            name = path.relative_to(ROOT)
            print(f"{name} is outdated: run .venv/bin/python script/docs.py", file=sys.stderr)
            outdated = True
        elif new != old:
            path.write_text(new, encoding="utf-8")
    return 1 if outdated else 0


if __name__ == "__main__":
    sys.exit(main())
