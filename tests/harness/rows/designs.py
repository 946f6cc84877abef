"""Designs of a table ``t`` that random histories change, in the source and in the target."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from harness.servers.database import Database
from harness.servers.queue import Queue

LONGEST = 20
"""Characters of a text that the target takes; the source takes more."""

DAYS = ("2026-11-23", "2026-11-24", "2026-12-01")
"""Those that rows may have; the partition of the first is there before anything is loaded."""

HOURS = ("2026-11-23 00:30:00", "2026-11-23 01:00:00", "2026-12-01 23:59:59")
"""The same where partitions are of hours."""

KEPT = "kept"
"""What rows that are there before a history have in the target's own column."""

ADDED = "added"
"""The default of that column."""

TOLD = ("op", "ev")
"""The target's columns for the operation and the event that changed a row last."""

SEEDS = (1, 2)
"""Ids of rows that both databases may have before a history."""

STRAYS = (901, 902, 903)
"""Ids of rows that only the target has before a history."""

FORMATS = (
    ("logutriga",),
    ("logutriga", "backup"),
    ("jsontriga",),
    ("sqltriga",),
    ("sqltriga", "backup"),
)
"""PgQ's trigger functions and their arguments."""

_EXTRA = {
    "": "",
    "unique": "u int unique, ",
    "self": "up int references t, ",
    "other": "o int references o, ",
}

Test = Callable[[Mapping[str, str | None]], bool]


def _about(names: str, test: Callable[..., bool]) -> Test:
    """A test of some columns, all of which a row has to tell; else KeyError."""
    return lambda row: test(*[row[name] for name in names.split()])


WHERES: Mapping[str, Test] = {
    "": lambda _row: True,
    "n >= 0 or txt in (x, all, 'it''s \\')": _about(
        "n txt", lambda n, txt: (n is not None and int(n) >= 0) or txt in {"x", "all", "it's \\"}
    ),
    "not (txt is null or n = 7)": _about("n txt", lambda n, txt: txt is not None and n not in {None, "7"}),
    "txt > 'c'": _about("txt", lambda txt: txt is not None and txt.encode() > b"c"),
}
"""Conditions, and the same as functions."""

MASK_KEY = "0123456789abcdef"
"""Key of digests."""

MASKS: Mapping[str, tuple[str, Callable[[str], str | None]]] = {
    "k2": ("hmac", lambda value: hmac.new(MASK_KEY.encode(), value.encode(), "sha256").hexdigest()),
    "txt": ("'hidden'", lambda _value: "hidden"),
    "n": ("null", lambda _value: None),
}
"""Masks of columns, as a job has them and as functions."""


class Partitions(NamedTuple):
    """Of one length: what each is called after its table's name, and the bounds of that of the first day."""

    name: Callable[[datetime], str]
    first: tuple[str, str]


PERIODS: Mapping[str, Partitions] = {
    "hourly": Partitions(lambda day: f"{day:%Y_%m_%d_%H}", ("2026-11-23 00:00", "2026-11-23 01:00")),
    "daily": Partitions(lambda day: f"{day:%Y_%m_%d}", ("2026-11-23", "2026-11-24")),
    "weekly": Partitions(lambda day: f"{day:%G_w%V}", ("2026-11-23", "2026-11-30")),
    "monthly": Partitions(lambda day: f"{day:%Y_%m}", ("2026-11-01", "2026-12-01")),
    "quarterly": Partitions(lambda day: f"{day.year}_q{(day.month + 2) // 3}", ("2026-10-01", "2027-01-01")),
    "yearly": Partitions(lambda day: f"{day:%Y}", ("2026-01-01", "2027-01-01")),
}
"""Partitions, by ``part_method``."""

Extra = Literal["", "unique", "self", "other"]
Mode = Literal["auto", "append", "keep_all", "keep_latest"]


@dataclass(frozen=True)
class Design:
    """What the table is like.

    Attributes:
        key: names of the columns of its primary key.
        extra: a further unique column, or one that refers to the table itself or to another one.
        partitions: how the target's table is partitioned by day; "apart": by tables of their own.
        own: the target's table has a column with a default that the source lacks.
        told: it has columns for what is told of the last change of a row.
        where: which rows are loaded; see `WHERES`.
        mask_file: file with `MASK_KEY`; empty: nothing is masked.
        mode: the job's ``row_mode``.
        period: how long those of the partitions are, as ``part_method`` has it.
        marked: rows that are deleted stay, with the time of that.
    """

    key: tuple[str, ...] = ("id",)
    extra: Extra = ""
    partitions: Literal["", "inherited", "native", "apart"] = ""
    own: bool = False
    told: bool = False
    where: str = ""
    mask_file: str = ""
    mode: Mode = "auto"
    period: str = "daily"
    marked: bool = False

    @property
    def days(self) -> tuple[str, ...]:
        """Those that rows may have."""
        return HOURS if self.period == "hourly" else DAYS

    @property
    def columns(self) -> tuple[str, ...]:
        """Those of the source, in order."""
        day = ("day",) if self.partitions else ()
        extra = {"": (), "unique": ("u",), "self": ("up",), "other": ("o",)}[self.extra]
        return (*self.key, *day, *extra, "txt", "n")

    @property
    def loaded(self) -> tuple[str, ...]:
        """Those of the target, in order."""
        return (*self.columns, *["own"] * self.own, *TOLD[: 2 * self.told], *["gone"] * self.marked)

    @property
    def keys(self) -> Mapping[str, object]:
        """Keys of the job, beside those that name databases, queue and table."""
        keys = {"row_mode": self.mode, **({"where": self.where} if self.where else {})}
        if self.told:
            keys |= {"fields": "*, _OP:op, _EVID:ev"}
        if self.marked:
            keys |= {"row_mode": "plain", "deleted_at": "gone"}
        if self.mask_file:
            its = {name: mask for name, (mask, _) in MASKS.items() if name in self.columns}
            listed = ", ".join(f"{name}: {mask}" for name, mask in its.items())
            keys |= {"mask": listed, "mask_key_file": self.mask_file}
        if self.partitions:
            keys |= {"part_field": "day", "part_method": self.period}
        if self.partitions in {"inherited", "apart"}:
            keys["part_template"] = f"create table _DEST_TABLE {self._child}"
        return keys

    @property
    def is_log(self) -> bool:
        """Whether a row may be there more than once."""
        return self.mode in {"append", "keep_all"}

    @property
    def _child(self) -> str:
        other = ", foreign key (o) references o" if self.extra == "other" else ""
        key = "" if self.is_log else f", primary key ({', '.join(self.key)})"
        inherits = " inherits (t)" if self.partitions == "inherited" else ""
        return f"(like t including defaults{key}{other}){inherits}"

    def create_source(self, queue: Queue, format_: tuple[str, ...]) -> None:
        """Make the table anew, with triggers on its changes and truncates."""
        self._create(queue.source, "text", "")
        function, *arguments = format_
        queue.attach("t", *arguments, function=function)
        queue.attach_truncate("t", function)

    def create_target(self, target: Database) -> None:
        """Make the table anew, with the partition of the first day."""
        own = f", own text default '{ADDED}'" if self.own else ""
        own += ", op text, ev bigint" if self.told else ""
        own += ", gone timestamptz" if self.marked else ""
        for name in self.tables_apart(target):
            target.execute(f"drop table {name}")
        self._create(target, f"varchar({LONGEST})", own, self.partitions, is_log=self.is_log)
        name = self.place({"day": self.days[0]})
        bounds = PERIODS[self.period].first
        if self.partitions == "native":
            target.execute(
                f"create table {name} partition of t for values from ('{bounds[0]}') to ('{bounds[1]}')"
            )
        elif self.partitions:
            target.execute(f"create table {name} {self._child}")

    def tables_apart(self, target: Database) -> list[str]:
        """Partitions that are no children of the table."""
        return target.column(
            "select relname::text from pg_class where relname ~ '^t_20' and relkind = 'r' "
            "and not relispartition and not exists (select from pg_inherits where inhrelid = pg_class.oid)"
        )

    def _create(
        self, database: Database, text: str, own: str, partitions: str = "", *, is_log: bool = False
    ) -> None:
        second = "k2 text, " if len(self.key) > 1 else ""
        day = (
            f"day {'timestamp' if self.period == 'hourly' else 'date'} not null, " if self.partitions else ""
        )
        key = f", primary key ({', '.join(self.key)})"
        if is_log or partitions in {"inherited", "apart"}:
            key = ""
        elif partitions:
            key = f", primary key ({', '.join(self.key)}, day)"
        by = " partition by range (day)" if partitions == "native" else ""
        database.execute(
            "drop table if exists t cascade; "
            "create table if not exists o (id int primary key); "
            "insert into o values (1), (2) on conflict do nothing; "
            f"create table t (id int, {second}{day}{_EXTRA[self.extra]}txt {text}, n int{own}{key}){by}"
        )

    def row(self, id_: int, **values: str | None) -> dict[str, str | None]:
        """A row of that id with some values; others are NULL, but for the key and the day."""
        whole: dict[str, str | None] = dict.fromkeys(self.columns)
        fixed = {"id": str(id_), "k2": "a", "day": self.days[0]}
        return {name: values.get(name, fixed.get(name)) for name in whole}

    def hidden(self, row: Mapping[str, str | None]) -> dict[str, str | None]:
        """A row as it is masked."""
        if not self.mask_file:
            return dict(row)
        return {
            name: MASKS[name][1](value) if value is not None and name in MASKS else value
            for name, value in row.items()
        }

    def place(self, row: Mapping[str, str | None]) -> str:
        """The table that has a row of the target."""
        if not self.partitions:
            return "t"
        day = row["day"]
        return f"t_{PERIODS[self.period].name(datetime.fromisoformat(day))}" if day else "t_"
