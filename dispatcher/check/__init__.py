"""The look at source, target and events before a job's first start; nothing is changed."""

from .check import examine

__all__ = [
    "examine",
]
