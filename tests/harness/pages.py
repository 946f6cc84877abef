"""The commands that a page tells people to run."""

from __future__ import annotations

import re

from harness.paths import ROOT


def commands(page: str) -> list[str]:
    """The lines of a page of ``docs/running`` that are indented, without those of files that it shows."""
    text = (ROOT / "docs" / "running" / page).read_text(encoding="utf-8")
    return [line for line in re.findall(r"^    (\S.*)$", text, re.MULTILINE) if not re.match(r"\w+ +=", line)]
