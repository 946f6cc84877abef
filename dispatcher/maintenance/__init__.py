"""Partitions between batches: those of the future are made, those of the past go."""

from .cares import cares_of
from .maintenance import Maintenance
from .present import Present

__all__ = ["Maintenance", "Present", "cares_of"]
