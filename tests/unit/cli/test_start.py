"""What a start in the background tells."""

from __future__ import annotations

from typing import Any

import pytest
from tdsup.supervisor.cli.start import overview

JOBS = [
    {"name": "a", "state": "running", "reason": ""},
    {"name": "b", "state": "blocked", "reason": "no table b\nand so on"},
]


@pytest.mark.parametrize(
    ("web", "web_error", "last"),
    [
        ("127.0.0.1:9867", "", "page: http://127.0.0.1:9867/"),
        ("https://10.0.0.1:1", "", "page: https://10.0.0.1:1/"),
        (None, "cannot serve http://127.0.0.1:9867: taken", "web: cannot serve http://127.0.0.1:9867: taken"),
    ],
)
def test_a_start_tells_what_runs(web: str | None, web_error: str, last: str) -> None:
    """How many jobs, which are blocked and why, and where the page is."""
    status: dict[str, Any] = {"jobs": JOBS, "web": web, "web_error": web_error}
    lines = ["2 jobs: 1 blocked, 1 running", "blocked: b: no table b and so on", last]
    assert overview(status).splitlines() == lines
