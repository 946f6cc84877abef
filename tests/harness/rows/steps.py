"""What may happen to a table, step by step."""

from __future__ import annotations

from dataclasses import dataclass

from harness.rows.designs import Design


@dataclass(frozen=True)
class Statement:
    """SQL on the source, whose triggers make its events; none if the source refuses it."""

    sql: str


@dataclass(frozen=True)
class Tick:
    """The end of a batch."""


@dataclass(frozen=True)
class Event:
    """An event made by hand."""

    type: str
    data: str


@dataclass(frozen=True)
class NewKey:
    """A change of a key, which the triggers refuse: it is made without them, its event by hand.

    Attributes:
        where: which row, as SQL.
        sets: what is assigned.
    """

    where: str
    sets: str


@dataclass(frozen=True)
class Touch:
    """An event made by hand that tells a present row as it is, written in an odd way.

    Attributes:
        where: which row, as SQL.
        odd: how it is written, see `ODD`.
    """

    where: str
    odd: int


Step = Statement | Tick | Event | NewKey | Touch


@dataclass(frozen=True)
class History:
    """What happens to a table.

    Attributes:
        design: of the table.
        format: the trigger function and its arguments.
        seeded: both databases have some rows beforehand.
        steps: in order.
    """

    design: Design
    format: tuple[str, ...]
    seeded: bool
    steps: tuple[Step, ...]
