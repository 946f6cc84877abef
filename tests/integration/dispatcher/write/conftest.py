"""Mirrors of a table, and jobs whose tables the test makes itself."""

from __future__ import annotations

import pytest
from harness.rows.job import Keys, drain, job_keys
from harness.rows.mirror import TRIGGERS, Mirror
from harness.servers.database import Database
from harness.servers.queue import Queue


@pytest.fixture(params=TRIGGERS)
def mirror(source: Database, target: Database, request: pytest.FixtureRequest) -> Mirror:
    """An empty mirror for each of the triggers; old rows come along with updates."""
    return Mirror(source, target, request.param, "backup")


@pytest.fixture
def keys(source: Database, target: Database, queue: Queue) -> Keys:
    """Keys of a job that loads the queue into the table t; its consumer is registered."""
    keys = job_keys(source, target)
    drain(**keys)
    return keys
