"""A fleet's directory for tests that write its files."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness.paths import JOBTYPES


@pytest.fixture
def fleet_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The working directory is a fleet's, and the fake job types are installed."""
    monkeypatch.syspath_prepend(str(JOBTYPES))
    monkeypatch.chdir(tmp_path)
    for folder in ("conf.d", "log"):
        Path(folder).mkdir()
