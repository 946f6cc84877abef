"""The check of a job before it runs: what is wrong with source, target and events. It changes nothing."""

from .check import examine, first_fault

__all__ = [
    "examine",
    "first_fault",
]
