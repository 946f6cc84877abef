"""The master: the jobs of a fleet, and their processes."""

from .master import Master

__all__ = ["Master"]
