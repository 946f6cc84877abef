"""The stand-in for pgq_ext."""

from __future__ import annotations

from pathlib import Path

PGQ_EXT = Path(__file__).with_suffix(".sql")
"""SQL that creates it."""
