"""What a host can ask of a job that runs, besides to end."""

from __future__ import annotations

from enum import StrEnum


class Order(StrEnum):
    """An order for a running job; see `JobType.orders`."""

    PAUSE = "pause"
    """Hold the work, on every host, until `RESUME`; then report `Condition.PAUSED`."""
    RESUME = "resume"
    """Let the work go on, whoever paused it."""
