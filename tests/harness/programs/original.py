"""The original's logic on the original's own libraries: the reference of the differential test.

It runs as a separate program, ``python -m harness.programs.original INI``, because the library installs
signal and log handlers.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pgq
import skytools

from harness.paths import TESTS

SECTION = "table_dispatcher"

PARTS = {"daily": 3, "monthly": 2}
"""How many of year, month and day a partition's name has, by ``part_method``."""


class Original(pgq.SerialConsumer):
    """What ``table_dispatcher`` of skytools does with a batch, judging by its man page and its results."""

    def __init__(self, args: list[str]) -> None:
        super().__init__(SECTION, "src_db", "dst_db", args)
        self._parent: str = skytools.fq_name(self.cf.get("dest_table"))
        self._part_field: str = self.cf.get("part_field", "")
        self._parts = PARTS[self.cf.get("part_method", "daily")]
        self._template: str = self.cf.get("part_template", "")
        chosen = [name for name in self.cf.getlist("fields", ["*"]) if name != "*"]
        self._fields = [(name.partition(":")[0], name.rpartition(":")[2]) for name in chosen]

    def process_remote_batch(self, db: Any, batch_id: int, event_list: Iterable[Any], dst_db: Any) -> None:
        """Load the rows of a batch, table by table."""
        tables: defaultdict[str, list[dict[str, str | None]]] = defaultdict(list)
        for event in event_list:
            row = skytools.db_urldecode(event.data)
            tables[self._table(row)].append(self._pick(row))
        cursor = dst_db.cursor()
        for table, rows in tables.items():
            if not skytools.exists_table(cursor, table):
                cursor.execute(self._template.replace("_DEST_TABLE", skytools.quote_fqident(table)))
            skytools.magic_insert(cursor, table, rows, [name for _, name in self._fields] or None)

    def _table(self, row: dict[str, str | None]) -> str:
        if not self._part_field:
            return self._parent
        day = str(row[self._part_field]).split(" ")[0]
        return "_".join([self._parent, *day.split("-")[: self._parts]])

    def _pick(self, row: dict[str, str | None]) -> dict[str, str | None]:
        return {name: row[source] for source, name in self._fields} if self._fields else row


def run(path: Path, **keys: object) -> None:
    """Write a job's file, and run it until its queue is empty; the first run only registers.

    The process runs without ``-W error``: the library's warnings are not ours.
    """
    register = [] if path.exists() else ["--register"]
    lines = [f"{key} = {str(value).replace('%', '%%')}" for key, value in keys.items()]
    path.write_text("\n".join([f"[{SECTION}]", "loop_delay = 0", *lines, ""]), encoding="utf-8")
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    done = subprocess.run(
        [sys.executable, "-m", "harness.programs.original", path, *register],
        cwd=TESTS,
        env={**environment, "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr


if __name__ == "__main__":
    Original(sys.argv[1:]).start()
