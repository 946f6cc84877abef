"""Decoded rows in a file, which the limit copies."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Self

_DATA, _INDEX = "rows", "rows.json"


class RowsWriter:
    """Writes tick after tick; a context manager that completes the files."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._index: list[dict[str, int]] = []

    def __enter__(self) -> Self:
        self._file = (self._directory / _DATA).open("wb")
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        (self._directory / _INDEX).write_text(json.dumps(self._index), encoding="ascii")

    def add(self, tables: Mapping[str, bytes]) -> None:
        """Write the rows of a tick: COPY text by table."""
        self._index.append({table: self._file.write(text) for table, text in tables.items()})


def ticks(directory: Path) -> Iterator[Iterator[tuple[str, bytes]]]:
    """For each tick, its tables and their rows; only one table's rows are in memory at a time."""
    index: list[dict[str, int]] = json.loads((directory / _INDEX).read_text(encoding="ascii"))
    with (directory / _DATA).open("rb") as file:
        for tables in index:
            yield ((table, file.read(length)) for table, length in tables.items())
