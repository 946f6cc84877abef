"""Rows into the target's tables."""

from . import refusal
from .stage import Stage
from .truncates import Truncate, Truncates
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
    "Truncate",
    "Truncates",
    "Writer",
    "mark_all",
    "move",
    "refusal",
    "write",
]
