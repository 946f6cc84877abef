"""Write the generated parts of the documentation; with --check, say whether they are up to date."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pydantic import AliasChoices, BaseModel
from pydantic.fields import FieldInfo
from tdsup.dispatcher.settings import Settings
from tdsup.supervisor.fleet import FleetSettings
from tdsup.supervisor.jobsettings import JobSettings
from tdsup.supervisor.options import moot_reason, shown_default

DOCS = Path(__file__).parents[1] / "docs"

TABLES: dict[str, dict[str, type[BaseModel]]] = {
    "jobs.md": {"dispatcher": Settings, "supervisor": JobSettings},
    "fleet.md": {"fleet": FleetSettings},
}
"""Settings models by page and by the name of the generated block."""


def render(text: str, tables: dict[str, type[BaseModel]]) -> str:
    """The page with its tables made anew from the settings models."""
    for name, model in tables.items():
        start, end = f"<!-- generated: {name} -->\n", "<!-- end -->"
        before, _, rest = text.partition(start)
        text = before + start + _table(model) + end + rest.partition(end)[2]
    return text


def _table(model: type[BaseModel]) -> str:
    lines = ["| key | default | meaning |", "|---|---|---|"]
    shared = JobSettings.model_fields if model is Settings else {}
    lines += [_line(name, field) for name, field in model.model_fields.items() if name not in shared]
    return "\n".join(lines) + "\n"


def _line(name: str, field: FieldInfo) -> str:
    alias = field.validation_alias
    keys = [str(key) for key in alias.choices] if isinstance(alias, AliasChoices) else [name]
    reason = moot_reason(field)
    meaning = f"Accepted, without effect: {reason}." if reason else field.description
    default = "required" if field.is_required() else shown_default(field)
    shown = f"`{default}`" if default and default != "required" else default
    return f"| {', '.join(f'`{key}`' for key in keys)} | {shown} | {meaning} |".replace("  ", " ")


def main() -> int:
    """Write or check; the exit status tells whether the page was up to date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if the page is outdated")
    check = parser.parse_args().check
    outdated = False
    for name, tables in TABLES.items():
        page = DOCS / name
        old = page.read_text(encoding="utf-8")
        new = render(old, tables)
        if check and new != old:
            print(f"docs/{name} is outdated: run .venv/bin/python script/docs.py", file=sys.stderr)
            outdated = True
        elif new != old:
            page.write_text(new, encoding="utf-8")
    return 1 if outdated else 0


if __name__ == "__main__":
    sys.exit(main())
