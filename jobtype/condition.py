"""How a running job says that it fares."""

from __future__ import annotations

from enum import StrEnum


class Condition(StrEnum):
    """The condition of a job that has a process."""

    RUNNING = "running"
    STANDBY = "standby"
    """Another process works for the same consumer; this one waits for its end."""
    RETRYING = "retrying"
    """Something that the job needs is away; it tries again by itself."""
