"""The condition that a running job reports."""

from __future__ import annotations

from enum import StrEnum


class Condition(StrEnum):
    """How a job that has a process is doing."""

    RUNNING = "running"
    STANDBY = "standby"
    """Another process works for the same consumer; this one waits for it to end."""
    RETRYING = "retrying"
    """Something that the job needs is unavailable; it keeps trying."""
    PAUSED = "paused"
    """A person holds the job, on this host or another; it waits for `Order.RESUME`, or to be let go there."""
