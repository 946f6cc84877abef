"""A fleet that most tests of fleets start with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.programs.fleet import Fleet, fleet


@pytest.fixture
def a_fleet(tmp_path: Path) -> Iterator[Fleet]:
    """Three jobs at work."""
    with fleet(tmp_path) as made:
        for name in ("orders", "orders_eu", "clicks"):
            made.write_job(name)
        made.start()
        made.wait_all()
        yield made
