"""What events do to rows: the key ``row_mode``, and how ``auto`` chooses for a table."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

from ..errors import BatchError, SetupError
from ..partitions import MissingTable, TableMaker, Tables, period_of
from ..postgres import TableName
from ..settings import Settings

Mode = Literal["append", "plain", "keep_all", "keep_latest"]
"""What ``row_mode`` may be, once ``auto`` has chosen."""

MAX_KEYS = 256
"""Most keys whose mode is remembered. The queue of a producer with more is no table's."""

FAR_OFF = b"9998-12-31"
"""A day whose partition nobody has, for a look at what new ones are like."""

NEW_TABLE = "a table made by part_template"

_UNIQUE = re.compile(r"\b(?:primary\s+key|unique)\b", re.IGNORECASE)
_LIKE = re.compile(r"\bincluding\s+(?:all|indexes)\b", re.IGNORECASE)

Remembered = Mapping[str, Any]
"""What ``auto`` has chosen by, as JSON: a `Uniques` and the digest of ``part_template``."""


@dataclass(frozen=True, slots=True)
class Uniques:
    """The unique indexes of a table that rows go to.

    Attributes:
        table: it, for people.
        columns: of each index.
        by_event: there is one on the very columns that events name as their key.
    """

    table: str
    columns: tuple[frozenset[str], ...]
    by_event: bool = False

    def has(self, key: Iterable[str]) -> bool:
        """Whether a unique index is on columns of a key."""
        names = frozenset(key)
        return bool(names) and (self.by_event or any(each <= names for each in self.columns))

    @property
    def is_keyless(self) -> bool:
        """Whether there is no unique index at all."""
        return not (self.by_event or self.columns)

    @classmethod
    def of(cls, tables: Tables, table: TableName) -> Self:
        """Those of a table that is there."""
        return cls(str(table), tables.uniqueness.columns(table))

    @classmethod
    def from_memory(cls, found: Mapping[str, Any]) -> Self:
        """As `to_memory` gave it."""
        return cls(found["table"], tuple(map(frozenset, found["unique"])), found["by_event"])

    def to_memory(self) -> dict[str, Any]:
        """As JSON takes it."""
        unique = sorted(sorted(each) for each in self.columns)
        return {"table": self.table, "unique": unique, "by_event": self.by_event}


class RowMode:
    """The mode of each event of a job, by its key.

    Args:
        settings: the job's.
        chosen: what ``auto`` chooses by; None: there is no table yet that could tell.
        present: what rows go to now.
        truncates: key of the source table whose truncates are applied; empty: not known.
        known: see `known`.

    Attributes:
        known: what is to be remembered; None: nothing.
        notices: what was chosen first, by mode, for the log.
    """

    def __init__(
        self,
        settings: Settings,
        chosen: Uniques | None = None,
        present: Sequence[Uniques] = (),
        truncates: Sequence[bytes] = (),
        known: Remembered | None = None,
    ) -> None:
        self.known = known
        self.notices: dict[Mode, str] = {}
        self._mode = settings.row_mode
        self._fields = settings.fields
        self._chosen = chosen
        self._present = present
        self._truncates = tuple(truncates)
        self._known: dict[tuple[bytes, ...], Mode] = {}

    def of(self, key: tuple[bytes, ...]) -> Mode:
        """The mode of updates and deletes that name a key; inserts are the same in all that ``auto`` chooses.

        Raises:
            BatchError: the choice would be another one now, or nothing tells what to choose.
        """
        if self._mode != "auto":
            return self._mode
        if key not in self._known:
            if len(self._known) >= MAX_KEYS:
                self._known.clear()
            self._known[key] = self._choose(key)
        return self._known[key]

    def of_truncates(self) -> Mode:
        """The mode of truncates, which name no key.

        Raises:
            ValueError: nothing tells whether rows are to be removed or kept.
            BatchError: as by `of`.
        """
        if self._mode != "auto" or self._truncates or (self._chosen and self._chosen.is_keyless):
            return self.of(self._truncates)
        raise ValueError("it is a truncate, and nothing tells whether rows are to be kept (row_mode)")

    @property
    def empties(self) -> bool:
        """Whether a truncate would empty the table, as far as that can be told."""
        try:
            return self.of_truncates() == "plain"
        except (ValueError, BatchError):
            return True

    def _choose(self, key: tuple[bytes, ...]) -> Mode:
        chosen = self._chosen
        if chosen is None:
            raise BatchError("there is no table yet by which row_mode = auto could choose; set row_mode")
        names = self._fields.rename_key(key)
        shown = f"the key {', '.join(names)}" if names else "a key"
        mode = _mode(chosen, key, names)
        for present in self._present:
            if (now := _mode(present, key, names)) != mode:
                words = ("a", "none") if now == "plain" else ("no", "one")
                raise BatchError(
                    f"row_mode = auto chose {mode} and would choose {now} now: {present.table} has "
                    f"{words[0]} unique index on {shown}, and {chosen.table} had {words[1]}; set "
                    f"row_mode = {mode} to go on as before, or row_mode = {now}"
                )
        reason, then = (
            ("has a", "change its rows") if mode == "plain" else ("has no", "are added to it as rows")
        )
        self.notices.setdefault(
            mode,
            f"row_mode = auto chose {mode}: {chosen.table} {reason} unique index on {shown}, so updates and "
            f"deletes {then}",
        )
        return mode


def _mode(uniques: Uniques, key: Sequence[bytes], names: Sequence[str]) -> Mode:
    """What to choose for events of a key, whose loaded columns have some names in the target."""
    # A change that names no key, in a table that has one: plain says that its row cannot be found.
    is_plain = uniques.has(names) if key else not uniques.is_keyless
    return "plain" if is_plain else "append"


def _look_at_tables(settings: Settings, tables: Tables) -> Uniques | None:
    """The unique indexes of the table that rows go to now; None if there is none.

    Of partitions, the newest one counts.
    """
    table: TableName | None = settings.dest_table
    if settings.part_field:
        newest = tables.newest()
        table = newest[0] if newest else None
    return Uniques.of(tables, table) if table and tables.exists(table) else None


def choose(
    settings: Settings,
    tables: Tables,
    maker: TableMaker | None,
    known: Remembered | None,
    key: Sequence[bytes] = (),
) -> RowMode:
    """Choose by what is remembered, else by how new tables are made: by the template, or like the parent.

    Args:
        settings: the job's.
        tables: of the target.
        maker: makes a table by the template, and undoes that; None: nothing may be made, so its words count.
        known: what is remembered.
        key: of the only table that feeds the queue; empty: not known.

    Raises:
        SetupError: the name of a table is too long.
        psycopg2.Error: the infrastructure failed.
    """
    if settings.row_mode != "auto":
        return RowMode(settings)
    now = _look_at_tables(settings, tables)
    present = [now] if now else []
    how = settings.partitioning
    own = "".join((how.template, how.pre_part, how.post_part))
    template = hashlib.sha256(own.encode()).hexdigest()
    if known is not None and known["template"] == template:
        return RowMode(settings, Uniques.from_memory(known), present, key, known)
    new = _look_at_new(settings, tables, maker, settings.fields.rename(key)) or now
    if new is None and tables.exists(settings.dest_table):
        new = Uniques.of(tables, settings.dest_table)
    chosen = Uniques.from_memory(known) if known else new
    if new is None or chosen is None:
        return RowMode(settings, chosen, present, key, known)
    if (new.columns, new.by_event) == (chosen.columns, chosen.by_event):
        known = {**new.to_memory(), "template": template}
    return RowMode(settings, chosen, [*present, new], key, known)


def _look_at_new(
    settings: Settings, tables: Tables, maker: TableMaker | None, key: tuple[str, ...]
) -> Uniques | None:
    """The unique indexes of a table that the job would make; None if it makes none, or cannot."""
    there = tables.exists(settings.dest_table)
    if there and (not settings.part_field or tables.extension()):
        return None
    how = settings.partitioning
    template = "\n".join(how.own_sql.values())
    if not template:
        return Uniques.of(tables, settings.dest_table) if there else None
    known = tables.columns(settings.dest_table) if there else {}
    if how.why_no_key(key, known):
        return Uniques(NEW_TABLE, (), by_event=True)
    if maker is None:
        is_like = there and (not how.template.strip() or _LIKE.search(template))
        like = tables.uniqueness.columns(settings.dest_table) if is_like else ()
        return Uniques(NEW_TABLE, like, by_event=_UNIQUE.search(template) is not None)
    table, period = settings.dest_table, None
    if settings.part_field:
        period = period_of(FAR_OFF, settings.part_method)
        table = settings.partitioning.partition(period)
    try:
        return Uniques(NEW_TABLE, maker.rehearse(MissingTable(table, period, key)))
    except SetupError:
        # It may never be needed: who makes the partitions by hand has no use for a template.
        return None
