"""Partitions between batches: those of the future are made, those of the past go."""

from .agenda import Decision, Deed, within
from .care import Care
from .cares import cares_of
from .maintenance import Maintenance
from .present import Present
from .prospects import hindrances
from .removal import script_of

__all__ = [
    "Care",
    "Decision",
    "Deed",
    "Maintenance",
    "Present",
    "cares_of",
    "hindrances",
    "script_of",
    "within",
]
