"""The work that a worker does for an event, compared with the committed figures."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

WORK = Path(__file__).parents[2] / "bench" / "work.py"


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="the committed figures are of Python 3.11")
@pytest.mark.timeout(400)
def test_an_event_takes_the_work_that_is_committed() -> None:
    """Instructions for an event and for a batch are within the margin of the figures in bench/work.py."""
    done = subprocess.run([sys.executable, WORK], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("good") == 5
