"""What partitions are called, and which tables are called so."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from ..postgres import MAX_BYTES, TableName, shortened

Method = Literal["hourly", "daily", "weekly", "monthly", "quarterly", "yearly"]

_WORD = re.compile(r"%\((\w*)\)s")

# In the order of time: what comes first counts most.
_WORDS = {
    "year": "[0-9]{4}",
    "quarter": "[1-4]",
    "month": "[0-9]{2}",
    "week": "[0-9]{2}",
    "day": "[0-9]{2}",
    "hour": "[0-9]{2}",
}
"""What stands for a part of a period's start, and its digits as a regular expression."""

_ENDINGS: dict[Method, str] = {
    "hourly": "%(year)s_%(month)s_%(day)s_%(hour)s",
    "daily": "%(year)s_%(month)s_%(day)s",
    "weekly": "%(year)s_w%(week)s",
    "monthly": "%(year)s_%(month)s",
    "quarterly": "%(year)s_q%(quarter)s",
    "yearly": "%(year)s",
}
"""What follows the parent's name and an underscore unless ``part_name`` says otherwise."""

_TELLING: dict[Method, tuple[str, ...]] = {
    "hourly": ("year month day hour",),
    "daily": ("year month day",),
    "weekly": ("year week", "year month day"),
    "monthly": ("year month",),
    "quarterly": ("year quarter", "year month"),
    "yearly": ("year",),
}
"""Words that tell periods apart: all of one of these texts."""

_ADDED = len("_day_idx")
"""Bytes that stay free behind a shortened name: a template may call a key or an index after its table."""

_LEAST_OF_PARENT = 20
"""Bytes of a name that the parent must have, whole or shortened."""


def ending(first: date, method: Method) -> str:
    """How a period is called, as in ``2026_11_24``.

    Args:
        first: its first day or hour.
        method: how long it is.
    """
    return _filled(_ENDINGS[method], first, method)


def check_template(template: str, method: Method) -> None:
    """Make sure that a template names partitions so that no two have the same name.

    Raises:
        ValueError: it does not, and what it must be like.
    """
    words = set(_WORD.findall(template))
    if unknown := sorted(words - _WORDS.keys() - {"parent"}):
        known = ", ".join(f"%({word})s" for word in ("parent", *_WORDS))
        raise ValueError(f"must have no other words than {known}, and not %({unknown[0]})s")
    if "%" in _WORD.sub("", template):
        raise ValueError("must have no % but those of its words, such as %(year)s")
    if "parent" not in words:
        raise ValueError("must have %(parent)s, so that no two tables have partitions of the same name")
    if not any(words.issuperset(telling.split()) for telling in _TELLING[method]):
        needed = " or ".join(
            " and ".join(f"%({word})s" for word in telling.split()) for telling in _TELLING[method]
        )
        raise ValueError(f"must have {needed}, to tell partitions apart that are {method}")
    fixed = _filled(template, date(2000, 1, 1), method)
    if len(fixed.encode()) > MAX_BYTES - _LEAST_OF_PARENT * template.count("%(parent)s"):
        raise ValueError(f"must be shorter: with the table's name it is over PostgreSQL's {MAX_BYTES} bytes")


@dataclass(frozen=True, slots=True)
class Naming:
    """The names of one table's partitions; they are in its schema.

    Of a name that would be longer than PostgreSQL's names the parent's part is shortened, so that it still
    tells its period.

    Attributes:
        parent: the table.
        method: how long a period is.
        template: ``part_name``; empty: the usual names.
    """

    parent: TableName
    method: Method
    template: str = ""

    def table(self, first: date) -> TableName:
        """The partition of the period that begins with a day or hour."""
        name = _filled(self._template, first, self.method, parent=self._parent)
        return TableName(self.parent.schema, name, self.parent.is_bare)

    @property
    def pattern(self) -> str:
        """A regular expression, of PostgreSQL and of Python, of all such names."""
        places: dict[str, int] = {}

        def group(word: str) -> str:
            if word == "parent":
                return re.escape(self._parent)
            if word in places:
                # A digit that follows is none of the reference.
                return f"(?:\\{places[word]})"
            places[word] = len(places) + 1
            return f"({_WORDS[word]})"

        return f"^{_replaced(self._template, group, re.escape)}$"

    @property
    def order(self) -> str:
        """What replaces such a name (``regexp_replace``) so that texts are in the order of time."""
        found = list(dict.fromkeys(word for word in _WORD.findall(self._template) if word != "parent"))
        return " ".join(f"\\{found.index(word) + 1}" for word in _WORDS if word in found)

    def order_of(self, first: date) -> str:
        """The same for the period that begins with a day or hour."""
        found = _WORD.findall(self._template)
        template = " ".join(f"%({word})s" for word in _WORDS if word in found)
        return _filled(template, first, self.method, by_week="week" in found)

    @property
    def _template(self) -> str:
        return self.template or f"%(parent)s_{_ENDINGS[self.method]}"

    @property
    def _parent(self) -> str:
        """The parent's name, shortened if the names of partitions would be too long."""
        fixed = _filled(self._template, date(2000, 1, 1), self.method)
        room = (MAX_BYTES - len(fixed.encode())) // self._template.count("%(parent)s")
        name = self.parent.table
        return name if len(name.encode()) <= room else shortened(name, room - _ADDED)


def _filled(
    template: str, first: date, method: Method, *, parent: str = "", by_week: bool | None = None
) -> str:
    """A template with the words of a period; `by_week`: the year is that of the week (ISO 8601)."""
    calendar = first.isocalendar()
    if by_week is None:
        by_week = "%(week)s" in template
    year = calendar.year if by_week and method == "weekly" else first.year
    words = {
        "parent": parent,
        "year": f"{year:04}",
        "quarter": f"{(first.month + 2) // 3}",
        "month": f"{first.month:02}",
        "week": f"{calendar.week:02}",
        "day": f"{first.day:02}",
        "hour": f"{first.hour if isinstance(first, datetime) else 0:02}",
    }
    return _replaced(template, words.__getitem__)


def _replaced(template: str, word: Callable[[str], str], text: Callable[[str], str] = str) -> str:
    """A template with its words and the texts between them replaced."""
    parts = _WORD.split(template)
    return "".join(word(part) if number % 2 else text(part) for number, part in enumerate(parts))
