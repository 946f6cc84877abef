"""How a job's table is partitioned, and from when to when its partitions exist."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from ..errors import SetupError
from ..events import Dial
from ..postgres import STRICT, TableName
from .branches import Spot
from .making import template
from .naming import Method, Naming
from .period import Period
from .periodcache import PeriodCache
from .zones import Zone

Kind = Literal["auto", "alone"]
"""What a cloned partition is to its parent: attached or a child, as the parent is; or a table of its own."""

EPOCH = date(1970, 1, 1)
"""The day before which computers have no dates of their own: an earlier one is a slip, or history."""


EVENT_TIME = "_EVTIME"
"""In place of a column: rows are of their event's time."""

BATCH_TIME = "_BATCHTIME"
"""The same: they are of the time of the tick that ends their batch."""

NOW = "_NOW"
"""The same: they are of the target's time when their batch's transaction begins."""

SOURCES_OF_TIME = frozenset({EVENT_TIME, BATCH_TIME, NOW})

_DIALS = {"seconds": Dial.SECONDS, "milliseconds": Dial.MILLISECONDS}


@dataclass(frozen=True, slots=True)
class Partitioning:
    """How one ``dest_table`` is partitioned, as the job's settings say.

    Attributes:
        parent: ``dest_table``.
        field: source column that tells the period, or a source of time; empty: not partitioned.
        method: how long a period is.
        template: SQL that creates a partition; blank: clone the parent.
        past: partitions are made from this day on, or from the oldest that there is.
        future: how far from today they are made, as PostgreSQL reads intervals.
        limit: most of them for one batch.
        name: what they are called; see `Naming`.
        zone: where clocks show the times of periods; empty: times are taken as they are written, and moments
            are those of the source's zone.
        epoch: unit of a column that counts from 1970 on; empty: it holds times.
        pre_part: SQL that is run before a partition is created, in the same transaction; may be blank.
        post_part: the same after it.
        kind: what a clone is to the parent.
        target: the column of the parent that holds the field's value; empty: none does.
        lists: columns of the parent by whose lists of values it is partitioned first; see `Branches`.
    """

    parent: TableName
    field: str
    method: Method
    template: str
    past: date = EPOCH
    future: str = "5 years"
    limit: int = 100
    name: str = ""
    zone: str = ""
    epoch: Literal["", "seconds", "milliseconds"] = ""
    pre_part: str = ""
    post_part: str = ""
    kind: Kind = "auto"
    target: str = ""
    lists: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the parent by which it is partitioned, if by lists first."""
        return (*self.lists, self.target) if self.lists else ()

    @property
    def column(self) -> str:
        """The column that tells the period; empty if none does."""
        return "" if self.field in SOURCES_OF_TIME else self.field

    @property
    def bounded(self) -> str:
        """The column by whose range a native parent is to be partitioned; empty: whichever it is."""
        return "" if self.template.strip() else self.target

    @property
    def is_by_batch(self) -> bool:
        """Whether all rows of a batch are of one period."""
        return self.field in {BATCH_TIME, NOW}

    @property
    def dial(self) -> Dial:
        """How a value tells its moment."""
        return _DIALS.get(self.epoch) or (Dial.ZONED if self.zone or self.is_by_batch else Dial.WRITTEN)

    @property
    def unit(self) -> int:
        """How many of a column's numbers make a second; 0 if it has times."""
        return {"seconds": 1, "milliseconds": 1000}.get(self.epoch, 0)

    def periods(self, time_zone: str, order: str = STRICT) -> PeriodCache:
        """The periods of values.

        Args:
            time_zone: of the source.
            order: of the fields of dates that are not in ISO style; see `Styles`.

        Raises:
            SetupError: the source's zone is needed, and this host does not know it.
        """
        zone = None
        if self.dial != Dial.WRITTEN or self.method == "hourly":
            try:
                zone = Zone(self.zone or time_zone)
            except ValueError as error:
                if self.dial != Dial.WRITTEN:
                    raise SetupError(
                        f"cannot tell partitions of {self.parent}: the source's TimeZone {error}; set "
                        "part_time_zone"
                    ) from error
        return PeriodCache(self.method, order, self.dial, zone)

    @property
    def naming(self) -> Naming:
        """What partitions are called."""
        return Naming(self.parent, self.method, self.name)

    def partition(self, period: Period) -> TableName:
        """The partition of a period."""
        return self.of(period).naming.table(period.start)

    def of(self, period: Period) -> Partitioning:
        """How that is partitioned which has the partition of a period: a list partition, or the parent."""
        return self.within(period.branch.table) if isinstance(period, Spot) else self

    def within(self, table: TableName) -> Partitioning:
        """How a list partition is partitioned."""
        return replace(self, parent=table, lists=())

    @property
    def own_sql(self) -> dict[str, str]:
        """What the user has written of the SQL that creates a partition, by key, in the order it is run."""
        texts = {
            "pre_part": self.pre_part,
            "part_template": self.template,
            "post_part": self.post_part,
        }
        return {key: text for key, text in texts.items() if text.strip()}

    @property
    def names_key(self) -> str:
        """Where that says which columns are the key, and so needs an event's; empty: nowhere."""
        return next(
            (
                f"{key} says {written}"
                for key, text in self.own_sql.items()
                for written, word in template.words(text)
                if word == "pkeys"
            ),
            "",
        )

    def why_no_key(self, key: Sequence[str], known: Container[str]) -> str:
        """Why a key must not get into SQL of the user's, whose words are SQL; empty if it may.

        Args:
            key: names of columns, as an event or another server tells them.
            known: the columns that the parent has.
        """
        says = self.names_key
        if not says:
            return ""
        if not key:
            return f"{says}, and the event names no key"
        strange = next((name for name in key if name not in known), None)
        return "" if strange is None else f"{says}, and {self.parent} has no column {strange[:63]!r}"


Action = Literal["", "drop", "detach", "move"]
"""What becomes of a partition whose time is over; empty: not said."""

LateEvents = Literal["create", "dead_letter", "ignore"]
"""What becomes of a row whose partition is gone."""

WORDS = ("part", "parent", "start", "end")
"""What `Lifespan.sql` may hold, each as in ``%(part)s``: names as SQL, and moments as literals."""

_WORD = re.compile(r"%\((\w*)\)s|%%")


@dataclass(frozen=True, slots=True)
class Lifespan:
    """How early partitions are made, and what becomes of them in the end, as a job's settings say.

    Attributes:
        premake: how many are made after the present one.
        period: how long they are kept after their end, as PostgreSQL reads intervals; empty: for ever.
        action: what becomes of them then.
        schema: where they are moved to.
        limit: most of them at a time.
        sql: run in the target before one goes; see `filled`.
        program: run before one goes, with its first arguments; empty: none.
        program_limit: most seconds that it may take.
        late: what becomes of a row whose partition is gone.
    """

    premake: int = 0
    period: str = ""
    action: Action = ""
    schema: str = ""
    limit: int = 10
    sql: str = ""
    program: tuple[str, ...] = ()
    program_limit: float = 3600.0
    late: LateEvents = "create"

    @property
    def ends(self) -> bool:
        """Whether partitions go at all."""
        return bool(self.period and self.action)

    @property
    def prepares(self) -> bool:
        """Whether something is run before one goes."""
        return bool(self.sql.strip() or self.program)

    @property
    def needs_care(self) -> bool:
        """Whether there is anything to do between batches."""
        return self.ends or self.premake > 0


def unknown_word(text: str) -> str:
    """The first word in a text that is none of `WORDS`, as it is written there; empty if there is none."""
    for match in _WORD.finditer(text):
        if match[0] != "%%" and match[1] not in WORDS:
            return match[0]
    return ""


def filled(text: str, words: Mapping[str, str]) -> str:
    """A text with its words replaced; ``%%`` is a percent sign, and any other one stays.

    Args:
        text: has no `unknown_word`.
        words: what each of `WORDS` stands for, as SQL.
    """
    return _WORD.sub(lambda match: "%" if match[0] == "%%" else words[match[1]], text)
