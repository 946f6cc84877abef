"""Mirrors of a table."""

from __future__ import annotations

import pytest
from harness.rows.mirror import TRIGGERS, Mirror
from harness.servers.database import Database


@pytest.fixture(params=TRIGGERS)
def mirror(source: Database, target: Database, request: pytest.FixtureRequest) -> Mirror:
    """An empty mirror for each of the triggers; old rows come along with updates."""
    return Mirror(source, target, request.param, "backup")
