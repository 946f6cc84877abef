"""Conditions on the values of a row, as the key ``where`` has them.

Truth is that of SQL: a comparison with NULL is unknown, and what is unknown does not match. Conditions are
looked at from left to right, and only as far as needed.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from enum import Enum
from functools import lru_cache
from typing import Any

Truth = bool | None
"""None is unknown."""

Test = Callable[[Sequence[bytes | None]], Truth]
"""Tells whether the values of a condition's columns match, in the order of these columns."""

NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
"""A finite number as PostgreSQL writes and reads it."""

_INFINITE = {
    "NaN": Decimal("Infinity"),
    "Infinity": Decimal("Infinity"),
    "-Infinity": Decimal("-Infinity"),
}
"""Numbers that are no finite ones; NaN is larger than any of these (PostgreSQL manual, "Numeric Types")."""

MAX_NUMBERS = 4096
"""Most values that are remembered with the numbers that they are."""

SHORT = 40
"""Bytes of the longest of them."""

_TRUTHS = {b"t": True, b"true": True, b"f": False, b"false": False}
"""Booleans, as logutriga and jsontriga write them."""

_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}

COMPARISONS = tuple(_ORDERS)
"""What compares a column with a constant."""


class Kind(Enum):
    """What a constant is, which tells how values are compared with it."""

    TEXT = "text"
    """By code point."""
    NUMBER = "number"
    BOOLEAN = "boolean"


Constant = bytes | Decimal | bool


@dataclass(frozen=True, slots=True)
class Condition:
    """What the values of a row have to be like.

    Attributes:
        text: as it was written.
        columns: source names of the columns that it looks at.
        compared: those of them that it compares with constants.
        test: whether values match, in the order of `columns`, as UTF-8; raises ValueError if a value is not
            of the kind of the constant that it is compared with.
    """

    text: str
    columns: tuple[bytes, ...]
    compared: frozenset[bytes]
    test: Test = field(repr=False, compare=False)


def comparison(number: int, name: str, kind: Kind, sign: str, constant: Constant) -> Test:
    """Compares a column with a constant.

    Args:
        number: of the column.
        name: of the column.
        kind: of the constant.
        sign: one of `COMPARISONS`.
        constant: the constant.
    """
    order = _ORDERS[sign]
    return _of_value(number, name, kind, lambda value: order(value, constant))


def membership(number: int, name: str, kind: Kind, constants: Sequence[Constant]) -> Test:
    """Whether a column is one of some constants of a kind."""
    return _of_value(number, name, kind, frozenset(constants).__contains__)


def _of_value(number: int, name: str, kind: Kind, holds: Callable[[object], bool]) -> Test:
    read = _READERS[kind]

    def test(values: Sequence[bytes | None]) -> Truth:
        value = values[number]
        if value is None:
            return None
        if (found := read(value)) is None:
            raise ValueError(f"its column {name} is no {kind.value}, and where compares it with one")
        return holds(found)

    return test


def nullness(number: int) -> Test:
    """Whether a column is NULL."""
    return lambda values: values[number] is None


def negation(one: Test) -> Test:
    """Whether a test fails."""

    def test(values: Sequence[bytes | None]) -> Truth:
        found = one(values)
        return None if found is None else not found

    return test


def conjunction(tests: Sequence[Test]) -> Test:
    """Whether all of some tests hold."""
    return _joined(tests, ends=False)


def disjunction(tests: Sequence[Test]) -> Test:
    """Whether one of some tests holds."""
    return _joined(tests, ends=True)


def _joined(tests: Sequence[Test], *, ends: bool) -> Test:
    """Several tests; the truth of one may settle all."""
    if len(tests) == 1:
        return tests[0]

    def test(values: Sequence[bytes | None]) -> Truth:
        truth: Truth = not ends
        for each in tests:
            found = each(values)
            if found is ends:
                return ends
            if found is None:
                truth = None
        return truth

    return test


def number_of(text: str) -> Decimal | None:
    """The number that a text is; None if it is none."""
    if NUMBER.fullmatch(text):
        try:
            return Decimal(text)
        except InvalidOperation:
            # Its exponent is beyond all reason.
            return None
    return _INFINITE.get(text)


def _read_number(value: bytes) -> Decimal | int | None:
    if len(value) > SHORT:
        return _read_any.__wrapped__(value)
    return int(value) if value.isdigit() else _read_any(value)


@lru_cache(MAX_NUMBERS)
def _read_any(value: bytes) -> Decimal | None:
    return number_of(value.decode("ascii", "replace"))


_READERS: dict[Kind, Callable[[bytes], object]] = {
    Kind.TEXT: lambda value: value,
    Kind.NUMBER: _read_number,
    Kind.BOOLEAN: _TRUTHS.get,
}
"""How a value is read; None if it is not of that kind."""
