"""What the target remembers of the choice of ``row_mode = auto``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .consumerrow import ConsumerRow
from .entry import Entry

_TABLES = "tables"
"""Key of what is remembered for the sections ``[table …]`` of a job's file, by ``dest_table``."""


def remembered(memory: Mapping[str, Any] | None, table: str = "") -> Mapping[str, Any] | None:
    """What a consumer's row remembers for a table; None: nothing.

    Args:
        memory: all that it remembers.
        table: the ``dest_table`` of a section; empty: the job's own.
    """
    if not memory or table:
        found: Mapping[str, Any] | None = (memory or {}).get(_TABLES, {}).get(table)
        return found
    return {key: value for key, value in memory.items() if key != _TABLES} or None


class Choice:
    """By what ``row_mode = auto`` has chosen, in a consumer's row; nothing where the target keeps none.

    Args:
        row: the consumer's.
        entry: what it says; None where the target keeps none.
    """

    def __init__(self, row: ConsumerRow, entry: Entry | None) -> None:
        self._row = row
        self._memory: Mapping[str, Any] = (entry and entry.row_mode) or {}

    def recall(self, table: str = "") -> Mapping[str, Any] | None:
        """As `remembered`."""
        return remembered(self._memory, table)

    def remember(self, found: Mapping[str, Any] | None, table: str = "") -> None:
        """Remember this from now on for a table; None: nothing."""
        tables = dict(self._memory.get(_TABLES, {}))
        own = remembered(self._memory)
        if not table:
            own = found
        elif found is None:
            tables.pop(table, None)
        else:
            tables[table] = found
        self._memory = {**(own or {}), **({_TABLES: tables} if tables else {})}
        if self._row.kept:
            self._row.steer("set_row_mode", row_mode=json.dumps(self._memory) if self._memory else None)
