"""Files of conf.d, written by hand."""

from __future__ import annotations

from pathlib import Path


def write(name: str, text: str) -> str:
    """Write a file of conf.d; returns its path."""
    path = Path("conf.d", f"{name}.ini")
    path.write_text(text, encoding="utf-8")
    return str(path)
