"""Steps of a history: statements on the source, events made by hand, and ticks between them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote_plus

from harness.rows.designs import Design

Row = dict[str, str | None]


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


def urlencoded(row: Mapping[str, str | None]) -> str:
    """A row as logutriga writes it."""
    return "&".join(name if value is None else f"{name}={quote_plus(value)}" for name, value in row.items())


def _reversed(row: Row) -> Row:
    return dict(reversed(row.items()))


def type_of(operation: str, key: Iterable[str]) -> str:
    """As logutriga writes it."""
    return f"{operation[0]}:{','.join(key)}"


def json_type(operation: str, key: Iterable[str]) -> str:
    """As jsontriga writes it."""
    header = {"op": operation, "table": ["public", "t"], "pkey": list(key)}
    return json.dumps(header, separators=(",", ":"))


Odd = Callable[[str, Sequence[str], Row], Event]

ODD: tuple[Odd, ...] = (
    lambda operation, key, row: Event(type_of(operation, key), urlencoded(row)),
    lambda operation, key, row: Event(json_type(operation, key), json.dumps(row)),
    lambda operation, key, row: Event(type_of(operation, key), urlencoded(_reversed(row))),
    lambda operation, key, row: Event(json_type(operation, key), json.dumps(_reversed(row))),
    lambda operation, key, row: Event(type_of(operation, key), urlencoded(row).replace("&", "&&") + "&"),
    lambda operation, key, row: Event(type_of(operation, key), "txt=not+the+last&" + urlencoded(row)),
    lambda operation, key, row: Event(
        type_of(operation, reversed(key)), urlencoded(row).replace("id", "%69d")
    ),
)
"""Ways to write an event by hand: by operation, names of the key's columns, and row."""
