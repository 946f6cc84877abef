"""What the target remembers of the choice of ``row_mode = auto``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .consumerrow import ConsumerRow
from .entry import Entry


class Choice:
    """By what ``row_mode = auto`` has chosen, in a consumer's row; nothing where the target keeps none.

    Args:
        row: the consumer's.
        entry: what it says; None where the target keeps none.
    """

    def __init__(self, row: ConsumerRow, entry: Entry | None) -> None:
        self._row = row
        self._entry = entry

    def recall(self) -> Mapping[str, Any] | None:
        """What is remembered; None: nothing."""
        return None if self._entry is None else self._entry.row_mode

    def remember(self, found: Mapping[str, Any] | None) -> None:
        """Remember this from now on; None: nothing."""
        if self._row.kept:
            self._row.steer("set_row_mode", row_mode=None if found is None else json.dumps(found))
