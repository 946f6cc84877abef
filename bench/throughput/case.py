"""What is in the queue, and where it is loaded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import ClassVar, Literal

from .work import DELETE, HEAT, INSERT, MIX, MOVE, UPDATE, UPDATE_AT_RANDOM, Work

Kind = Literal["inherited", "native", "unpartitioned"]

TABLE = "orders"
FIRST_DAY = date(2026, 11, 1)

NARROW = (
    ("customer int", "g % 1000"),
    ("amount numeric", "g / 100.0"),
    ("status text", "'shipped'"),
    ("note text", "'note of order number ' || g"),
)
"""Columns besides id and day, and the expressions that fill them for event number g; six in all."""

_MANY = (
    ("int", "g % {0}7"),
    ("numeric", "round(g / {0}.0, 2)"),
    ("text", "'value ' || g % 9{0} || ' of a column'"),
    (
        "timestamptz",
        "case when g % 3 > 0 then timestamptz '2026-11-01 00:00+00' + {0} * g * interval '1 s' end",
    ),
    ("boolean", "g % {0} = 0"),
    ("text", "case when g % {0} > 1 then 'word' end"),
    ("float8", "g / {0}::float8"),
)
THIRTY = tuple(
    (f"column{number} {kind}", value.format(number))
    for number in range(2, 30)
    for kind, value in (_MANY[number % len(_MANY)],)
)

LONG = (("note text", "(select string_agg(md5(g::text || i), ' ') from generate_series(1, 60) i)"),)
"""Text of 2 kB that cannot be compressed."""

_AWKWARD = (
    r"E'100 % of a+b=c & d\t\"x\"\\y\n' || g",
    r"'Zürich → 東京 → Ελλάδα 😀 №' || g",
    r"E'\\N \\. C:\\dir\\' || g || E'\t\r\n?a=1&b=%20#'",
    r"repeat('é&', g % 5) || '«' || g || '»'",
)
AWKWARD = tuple((f"text{number} text", value) for number, value in enumerate(_AWKWARD))
"""Text that consists mostly of characters with a meaning in url-encoding or COPY."""


@dataclass(frozen=True)
class Case:
    """One workload.

    Attributes:
        name: its name on the command line.
        about: what is special about it.
        columns: those besides id and day, with the expressions that fill them.
        tick: events of a tick.
        events: how many the contestants are behind by default.
        days: how many each tick has, in turn.
        kind: of the target table.
        work: what the events do.
        trigger: of PgQ, which writes them.
        table: its name.
    """

    name: str
    about: str
    columns: tuple[tuple[str, str], ...] = NARROW
    tick: int = 50_000
    events: int = 500_000
    days: int = 7
    kind: Kind = "inherited"
    work: Work = INSERT
    trigger: str = "logutriga"
    table: ClassVar[str] = TABLE

    @property
    def is_plain(self) -> bool:
        """Whether logutriga's events add rows: what the original is good at."""
        return not self.work.changes and self.trigger == "logutriga"

    @property
    def create(self) -> str:
        """Statement that creates the table, in the source and in the target, without a key."""
        columns = ", ".join(column for column, _ in self.columns)
        return f"create table {TABLE} (id bigint not null, created timestamp not null, {columns})"

    @property
    def create_target(self) -> Iterator[str]:
        """Statements that create the target table and all its partitions, each with its key."""
        if self.kind == "unpartitioned":
            yield f"{self.create}; alter table {TABLE} add primary key (id)"
            return
        native = self.kind == "native"
        yield self.create + (" partition by range (created)" if native else "")
        for number in range(self.days):
            day = FIRST_DAY + timedelta(number)
            name = f"{TABLE}_{day:%Y_%m_%d}"
            if native:
                bounds = f"from ('{day}') to ('{day + timedelta(1)}')"
                yield f"create table {name} partition of {TABLE} (primary key (id)) for values {bounds}"
            else:
                yield f"create table {name} (primary key (id)) inherits ({TABLE})"

    def refill(self, table: str) -> Iterator[str]:
        """Statements that put the rows of a table into the target table, each where it belongs."""
        yield f"truncate {TABLE}"
        if self.kind != "inherited":
            yield f"insert into {TABLE} select * from {table} order by id"
            return
        for number in range(self.days):
            day = FIRST_DAY + timedelta(number)
            yield (
                f"insert into {TABLE}_{day:%Y_%m_%d} select * from {table} "
                f"where created >= '{day}' and created < '{day + timedelta(1)}' order by id"
            )

    @property
    def table_of_row(self) -> str:
        """Expression for the table that a source row goes to."""
        return f"'{TABLE}'" if self.kind == "unpartitioned" else f"to_char(created, '\"{TABLE}_\"YYYY_MM_DD')"

    def insert(self, first: int, last: int) -> str:
        """Statement that puts rows `first` to `last` into the source table."""
        return f"insert into {TABLE} {self.rows(first, last)}"

    def rows(self, first: int, last: int) -> str:
        """Query that yields rows `first` to `last`, as an insert makes them."""
        values = ", ".join(value for _, value in self.columns)
        return f"select g, {self.day('g')}, {values} from generate_series({first}, {last}) g"

    def day(self, number: str) -> str:
        """Expression for the day of an event, by its number."""
        return f"timestamp '{FIRST_DAY}' + ({number}) % {self.days} * interval '1 day'"


_WORDS = (("words text", "'value ' || g"),)


def _changes(
    name: str,
    about: str,
    work: Work,
    *,
    columns: tuple[tuple[str, str], ...] = NARROW,
    tick: int = 20_000,
    events: int = 200_000,
    days: int = 1,
    kind: Kind = "unpartitioned",
    trigger: str = "logutriga",
) -> Case:
    return Case(name, about, columns, tick, events, days, kind, work, trigger)


CASES = {
    case.name: case
    for case in (
        Case("50000", "6 columns, 7 inherited partitions, 50,000 events a tick"),
        Case("500", "the same, 500 events a tick", tick=500, events=200_000),
        Case("columns-30", "30 columns", columns=THIRTY, events=250_000),
        Case("rows-2k", "rows of 2 kB", columns=LONG, events=150_000),
        Case("escapes", "values full of escapes and UTF-8", columns=AWKWARD, events=250_000),
        Case("partitions-1", "1 partition a batch", days=1),
        Case("partitions-60", "60 partitions a batch", days=60),
        Case("native", "7 native partitions", kind="native"),
        Case("unpartitioned", "one table", kind="unpartitioned"),
        _changes("update", "each row updated once, in the order of the key", UPDATE),
        _changes("update-random", "the same in random order", UPDATE_AT_RANDOM),
        _changes("mix", "two inserts, two updates, one delete", MIX),
        _changes("delete", "each row deleted", DELETE),
        _changes("hot", "1,000 rows updated again and again", HEAT, tick=50_000, events=500_000),
        _changes("update-30", "30 columns, each row updated once", UPDATE, columns=THIRTY[:-1] + _WORDS),
        _changes("update-7", "7 inherited partitions", UPDATE, days=7, kind="inherited"),
        _changes("update-60", "60 inherited partitions", UPDATE, days=60, kind="inherited"),
        _changes("update-native-7", "7 native partitions", UPDATE, days=7, kind="native"),
        _changes("update-native-60", "60 native partitions", UPDATE, days=60, kind="native"),
        _changes("move", "rows that move between 60 partitions", MOVE, days=60, kind="inherited"),
        _changes("json", "jsontriga, inserts", INSERT, trigger="jsontriga"),
        _changes("json-update", "jsontriga, updates", UPDATE, trigger="jsontriga"),
        _changes("json-mix", "jsontriga, the mix", MIX, trigger="jsontriga"),
        _changes("sql", "sqltriga, inserts", INSERT, trigger="sqltriga"),
        _changes("sql-update", "sqltriga, updates", UPDATE, trigger="sqltriga"),
        _changes("sql-mix", "sqltriga, the mix", MIX, trigger="sqltriga"),
    )
}
"""All cases, by name."""
