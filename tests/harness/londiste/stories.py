"""Random histories of the table, as far as Londiste gives the same tables for them."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal

from harness.rows.history import literal

Key = tuple[int, str]
Place = Literal["row", "event", "batch"]

TIMES = (
    "2026-04-29 23:59:59.5",
    "2026-04-30 00:00:00",
    "2026-05-01 12:30:00",
    "2027-01-01 00:00:00",
)
"""What rows may have in their column ``created``."""

FIRST_DAY = date(2026, 4, 28)
"""Of the first batch."""

TEXTS = [None, "x", "", "it's \\", "\u20ac\t\n", "\\N", "a b&c=d", 'q"%41']

NUMBERS = [None, 0, 7, -12.5]

KEYS = [(id_, kind) for id_ in (1, 2, 3, 4) for kind in ("a", "b c")]

LENGTHS = {"hour": 13, "day": 10, "month": 7, "year": 4, "": 0}
"""Characters of a time that name its period; "" is one period for all."""


@dataclass(frozen=True)
class Scope:
    """What happens in histories.

    Attributes:
        place: what tells the partition of a row: its own column, or the time of the event or of the batch.
        period: of partitions; empty: there are none.
        moves: rows are changed in another partition than the one they are in.
        returns: a key comes back to a partition that has kept a former state of it.
        repeats: a batch changes a row more than once.
    """

    place: Place = "row"
    period: str = ""
    moves: bool = True
    returns: bool = True
    repeats: bool = True


@dataclass(frozen=True)
class Batch:
    """Statements on the source, and the day on which they are run."""

    day: str
    statements: tuple[str, ...]


@dataclass
class Teller:
    """Makes up statements, and remembers what they come to.

    Attributes:
        dice: what it chooses by.
        scope: what may happen.
        day: of the present batch.
        present: the period that each row is in.
        left: where keys are still found although their rows are elsewhere, or gone.
    """

    dice: random.Random
    scope: Scope
    day: date = FIRST_DAY
    present: dict[Key, str] = field(default_factory=dict)
    left: set[tuple[Key, str]] = field(default_factory=set)

    def batch(self) -> Batch:
        """A batch; most likely of some statements."""
        self.day += timedelta(days=self.dice.choice([0, 1, 1]))
        count = self.dice.randint(1, 12) if self.scope.repeats else 1
        kinds = (
            [self.insert] * 4 + [self.update, self.redate] * 3 + [self.delete] * 2 + [self.touch, self.many]
        )
        statements = [self.dice.choice(kinds)() for _ in range(count)]
        return Batch(self.day.isoformat(), tuple(filter(None, statements)))

    def insert(self) -> str:
        """A new row, perhaps with the key of one that is gone; empty if no key is free."""
        created = self.dice.choice(TIMES)
        period = self._period(created)
        free = [
            key
            for key in KEYS
            if key not in self.present and (self.scope.returns or (key, period) not in self.left)
        ]
        if not free:
            return ""
        key = self.dice.choice(free)
        self._put(key, period)
        values = (*key, created, self.dice.choice(TEXTS), self.dice.choice(NUMBERS))
        return f"insert into orders values ({', '.join(map(_literal, values))})"

    def update(self) -> str:
        """Other values for a row."""
        sets = f"txt = {_literal(self.dice.choice(TEXTS))}, n = {_literal(self.dice.choice(NUMBERS))}"
        return self._change(lambda _key: sets)

    def touch(self) -> str:
        """An update that changes nothing."""
        return self._change(lambda _key: "n = n")

    def redate(self) -> str:
        """Another time for a row."""
        return self._change(lambda key: f"created = {_literal(self._new_time(key))}")

    def many(self) -> str:
        """One update of several rows."""
        keys = self._reachable()
        for key in keys:
            self._put(key, self._after(key))
        wheres = " or ".join(f"({_where(key)})" for key in keys)
        return f"update orders set n = n + 1 where {wheres}" if keys else ""

    def delete(self) -> str:
        """A row goes."""
        keys = self._reachable()
        if not keys:
            return ""
        key = self.dice.choice(keys)
        self._put(key, self._after(key))
        self.left.discard((key, self.present.pop(key)))
        return f"delete from orders where {_where(key)}"

    def _change(self, sets: Callable[[Key], str]) -> str:
        keys = self._reachable()
        if not keys:
            return ""
        key = self.dice.choice(keys)
        # Puts the row, if that changes its time.
        assigned = sets(key)
        self._put(key, self._after(key))
        return f"update orders set {assigned} where {_where(key)}"

    def _new_time(self, key: Key) -> str:
        times = [time for time in TIMES if self.scope.moves or self._period(time) == self.present[key]]
        created = self.dice.choice(times)
        if self.scope.place == "row":
            self._put(key, self._period(created))
        return created

    def _reachable(self) -> list[Key]:
        """Rows that a statement may change now."""
        keys = sorted(self.present)
        return keys if self.scope.moves else [key for key in keys if self._after(key) == self.present[key]]

    def _after(self, key: Key) -> str:
        """Where a change puts a row whose own time stays."""
        return self.present[key] if self.scope.place == "row" else self._period("")

    def _put(self, key: Key, period: str) -> None:
        """A row is in a period now; where it was before keeps it. Both are in `left`."""
        self.present[key] = period
        self.left.add((key, period))

    def _period(self, created: str) -> str:
        days = {"row": created, "event": self.day.isoformat(), "batch": (self.day + timedelta(1)).isoformat()}
        return days[self.scope.place][: LENGTHS[self.scope.period]]


def story(seed: str, scope: Scope) -> list[Batch]:
    """A history within a scope, the same for a seed: some batches in order, none of them empty."""
    teller = Teller(random.Random(seed), scope)  # noqa: S311 (repeatable stories)
    batches = (teller.batch() for _ in range(6 if scope.repeats else 10))
    return [batch for batch in batches if batch.statements]


def _literal(value: object) -> str:
    return str(value) if isinstance(value, float) else literal(value)


def _where(key: Key) -> str:
    return f"id = {key[0]} and kind = {literal(key[1])}"
