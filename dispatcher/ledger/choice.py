"""What the target remembers of the choice of ``row_mode = auto``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .consumerrow import ConsumerRow


class Choice:
    """By what ``row_mode = auto`` has chosen, in a consumer's row; nothing where the target keeps none.

    Args:
        row: the consumer's.
    """

    def __init__(self, row: ConsumerRow) -> None:
        self._row = row

    def recall(self) -> Mapping[str, Any] | None:
        """What is remembered; None: nothing."""
        entry = self._row.look()
        return None if entry is None else entry.row_mode

    def remember(self, found: Mapping[str, Any] | None) -> None:
        """Remember this from now on; None: nothing."""
        if self._row.kept:
            self._row.steer("set_row_mode", row_mode=None if found is None else json.dumps(found))
