"""Waiting for something to become true."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

PATIENCE = 20.0
"""Seconds that anything may take on a slow machine."""

POLL = 0.02
"""Seconds between two looks."""

Answer = TypeVar("Answer")


def wait_until(look: Callable[[], Answer], what: str, timeout: float = PATIENCE) -> Answer:
    """Look again and again until the answer is true; returns it.

    Raises:
        AssertionError: it did not become true in time; the message names what was awaited.
    """
    end = time.monotonic() + timeout
    while not (answer := look()):
        assert time.monotonic() < end, f"not within {timeout:g} s: {what}"
        time.sleep(POLL)
    return answer
