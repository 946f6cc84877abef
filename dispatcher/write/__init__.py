"""Rows into the target's tables."""

from . import refusal
from .stage import Stage
from .writer import (
    Delete,
    Insert,
    InsertThrough,
    Mark,
    Patch,
    Replace,
    Writer,
    mark_all,
    move,
    truncate,
    write,
)

__all__ = [
    "Delete",
    "Insert",
    "InsertThrough",
    "Mark",
    "Patch",
    "Replace",
    "Stage",
    "Writer",
    "mark_all",
    "move",
    "refusal",
    "truncate",
    "write",
]
