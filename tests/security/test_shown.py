"""Text of strangers does nothing to the terminal that shows it, and makes no second line of a log."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tdsup.jobtype import brief, printable
from tdsup.jobtype.printable import BRIEF
from tdsup.supervisor import logs
from tdsup.supervisor.lineformat import LineFormat

ODD = "a\nb\r\t\x1b[2J\x9b\x07\x7f\u2028\u202e\u200b\0 é😀"

SHOWN = r"a\nb\r\t\x1b[2J\x9b\x07\x7f\u2028\u202e\u200b\x00 é😀"


@pytest.fixture(params=["text", "json"])
def log(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A log of a format; other handlers are as before when the test ends."""
    root = logging.getLogger()
    before, root.handlers = root.handlers, []
    path = tmp_path / "x.log"
    line_format = LineFormat(line="%(levelname)s %(message)s", json=request.param == "json")
    logs.add_file(path, 0, 0, redirect=False, line_format=line_format)
    yield path
    logs.drop_all()
    root.handlers = before
    logging.captureWarnings(False)


def test_a_log_line_is_one_line(log: Path) -> None:
    """In either format, a program reads the text as it was; a traceback has its own lines, each printable."""
    logging.getLogger("x").warning("%s", ODD)
    logging.getLogger("x").error("%s", "oh", exc_info=ValueError(ODD))
    first, *others = log.read_text(encoding="utf-8").split("\n")[:-1]
    assert all(line.isprintable() for line in (first, *others))
    if first.startswith("{"):
        assert json.loads(first)["message"] == ODD
        assert ODD in json.loads(others[0])["traceback"]
    else:
        assert first == f"WARNING {SHOWN}"
        assert others[0] == "ERROR oh"
        assert r"\x1b[2J" in "".join(others)


@given(st.text())
def test_what_is_shown_is_printable(text: str) -> None:
    """Printable text comes back as it is; other text has no character that is not."""
    assert printable(text).isprintable()
    assert (printable(text) == text) == text.isprintable()
    assert len(brief(text * 50)) < 12 * BRIEF
