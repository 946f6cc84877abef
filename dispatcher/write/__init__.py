"""Rows into the target's tables."""

from . import refusal
from .stage import Stage
from .writer import Delete, Insert, InsertThrough, Patch, Replace, Writer, move, truncate, write

__all__ = [
    "Delete",
    "Insert",
    "InsertThrough",
    "Patch",
    "Replace",
    "Stage",
    "Writer",
    "move",
    "refusal",
    "truncate",
    "write",
]
