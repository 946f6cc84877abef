"""The measured parts of a page of the documentation, between markers as `script/docs.py` has them."""

from __future__ import annotations

from pathlib import Path

PERFORMANCE = Path(__file__).parents[2] / "docs" / "performance.md"
"""The page of the benchmarks."""


def write_block(name: str, text: str, page: Path = PERFORMANCE) -> None:
    """Put a text in place of the one between the markers of that name.

    Raises:
        AssertionError: the page has no such markers.
    """
    start, end = f"<!-- generated: {name} -->\n", "<!-- end -->"
    before, found, rest = page.read_text(encoding="utf-8").partition(start)
    _old, closed, after = rest.partition(end)
    assert found, f"no place for {name} in {page.name}"
    assert closed, f"the place for {name} in {page.name} has no end"
    page.write_text(f"{before}{start}{text.rstrip()}\n{end}{after}", encoding="utf-8")
