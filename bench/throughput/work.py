"""What the events of a case do to the source's table, tick by tick."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .case import Case

HOT_ROWS = 1000
"""Rows that are updated again and again."""


@dataclass(frozen=True)
class Ticks:
    """How much is in the queue: `count` ticks of `size` events."""

    count: int
    size: int

    @property
    def events(self) -> int:
        """Events in the queue."""
        return self.count * self.size


@dataclass(frozen=True)
class Work:
    """What is done.

    Attributes:
        before: how many rows are there at first.
        sql: statements of a tick, by its number from 0.
    """

    before: Callable[[Ticks], int]
    sql: Callable[[Case, Ticks, int], str]

    @property
    def changes(self) -> bool:
        """Whether rows that are there are changed."""
        return self is not INSERT


def _insert(case: Case, ticks: Ticks, number: int) -> str:
    first = number * ticks.size + 1
    return case.insert(first, first + ticks.size - 1)


def _update(case: Case, ticks: Ticks, number: int) -> str:
    first = number * ticks.size + 1
    column = case.columns[-1][0].split()[0]
    return (
        f"update {case.table} set {column} = {column} || ' again' "
        f"where id between {first} and {first + ticks.size - 1}"
    )


def _update_at_random(case: Case, ticks: Ticks, number: int) -> str:
    column = case.columns[-1][0].split()[0]
    return (
        f"do $$ declare row record; begin for row in select id from {case.table} "
        f"where id % {ticks.count} = {number} order by md5(id::text) "
        f"loop update {case.table} set {column} = {column} || ' again' where id = row.id; end loop; end $$"
    )


def _delete(case: Case, ticks: Ticks, number: int) -> str:
    first = number * ticks.size + 1
    return f"delete from {case.table} where id between {first} and {first + ticks.size - 1}"


def _mix(case: Case, ticks: Ticks, number: int) -> str:
    """Two fifths inserts, two fifths updates of rows of old, one fifth deletes of others."""
    part = ticks.size // 5
    old = number * 3 * part + 1
    new = 3 * part * ticks.count + number * 2 * part + 1
    column = case.columns[-1][0].split()[0]
    return (
        f"{case.insert(new, new + 2 * part - 1)}; "
        f"update {case.table} set {column} = {column} || ' again' "
        f"where id between {old} and {old + 2 * part - 1}; "
        f"delete from {case.table} where id between {old + 2 * part} and {old + 3 * part - 1}"
    )


def _heat(case: Case, ticks: Ticks, number: int) -> str:
    return (
        f"do $$ begin for turn in 1..{ticks.size // HOT_ROWS} loop "
        f"update {case.table} set amount = amount + turn + {number}; end loop; end $$"
    )


def _move(case: Case, ticks: Ticks, number: int) -> str:
    first = number * ticks.size + 1
    return (
        f"update {case.table} set created = {case.day('id + 1')} "
        f"where id between {first} and {first + ticks.size - 1}"
    )


INSERT = Work(lambda _ticks: 0, _insert)
UPDATE = Work(lambda ticks: ticks.events, _update)
UPDATE_AT_RANDOM = Work(lambda ticks: ticks.events, _update_at_random)
DELETE = Work(lambda ticks: ticks.events, _delete)
MIX = Work(lambda ticks: ticks.events // 5 * 3, _mix)
HEAT = Work(lambda _ticks: HOT_ROWS, _heat)
MOVE = Work(lambda ticks: ticks.events, _move)
