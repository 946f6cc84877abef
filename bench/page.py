"""The measured parts of docs/performance.md."""

from __future__ import annotations

from collections.abc import Mapping

from script.docs import DOCS, render

PAGE = DOCS / "performance.md"
"""The page of the benchmarks."""


def write(blocks: Mapping[str, str]) -> None:
    """Put texts in place of those between the markers of their names."""
    PAGE.write_text(render(PAGE.read_text(encoding="utf-8"), blocks), encoding="utf-8")
