"""The styles in which the source writes times and money, and how the target is told to read them.

Values are texts that a producer's session has written in its own style. They are read as the source's
database, or its roles, or the job's keys say (PostgreSQL manual, "Date/Time Output", "Interval Output").
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import psycopg2
from psycopg2.extensions import cursor as Cursor

from . import queries
from .connection import Connection

_STYLES = {"iso": "ISO", "sql": "SQL", "postgres": "Postgres", "german": "German"}
_ORDERS = {"ymd": "YMD", "dmy": "DMY", "euro": "DMY", "mdy": "MDY", "us": "MDY", "noneuro": "MDY"}

STRICT = "YMD"
"""Order of fields in which only ISO dates are read, and any other date is an error."""

INTERVAL_STYLES = ("postgres", "postgres_verbose", "sql_standard", "iso_8601")

_BEGIN = rb'(?<![^\t\n{(,"\[])'
"""Before a value: nothing, or what stands before it in a line of COPY, an array or a composite."""


@dataclass(frozen=True, slots=True)
class DateStyle:
    """How dates are written.

    Attributes:
        name: ``ISO``, ``SQL``, ``Postgres`` or ``German``.
        order: of their fields: ``YMD``, ``DMY`` or ``MDY``.
    """

    name: str
    order: str

    def __str__(self) -> str:
        return f"{self.name}, {self.order}"

    @classmethod
    def parse(cls, text: str) -> DateStyle:
        """Read a value of PostgreSQL's setting.

        Raises:
            ValueError: it is none.
        """
        words = [word.strip().lower() for word in text.split(",")]
        names = [name for word in words if (name := _named(_STYLES, word))]
        orders = [order for word in words if (order := _named(_ORDERS, word))]
        if len(names) + len(orders) < len(words) or len(names) > 1 or len(orders) > 1:
            raise ValueError("must be a DateStyle of PostgreSQL, such as ISO, German or SQL, DMY")
        name = names[0] if names else "ISO"
        # German dates have their day first, whatever the order.
        return cls(name, "DMY" if name == "German" else orders[0] if orders else "MDY")


def _named(words: dict[str, str], given: str) -> str | None:
    if given.startswith("postgres"):
        given = "postgres"
    for prefix in ("noneuro", "euro"):
        if given.startswith(prefix):
            given = prefix
    return words.get(given)


@dataclass(frozen=True, slots=True)
class Doubt:
    """Values that may mean something else than the target reads.

    Attributes:
        types: of columns that may hold them, as ``pg_type.typname``.
        pattern: finds them.
        reason: what is wrong with them, and what to do.
    """

    types: frozenset[str]
    pattern: re.Pattern[bytes]
    reason: str


_INTERVALS = frozenset({"interval"})
_ZONED = frozenset({"timestamptz", "timetz", "tstzrange", "tstzmultirange"})

_SIGNED = Doubt(
    _INTERVALS,
    re.compile(_BEGIN + rb"-\d+ \d+:\d\d"),
    "its interval begins with a sign as IntervalStyle sql_standard writes it, which the source does not use "
    "(interval_style)",
)
"""Only sql_standard writes such, with one sign for all fields; others would read it for the first alone."""

_WORDED = Doubt(
    _INTERVALS,
    re.compile(_BEGIN + rb"-\d+ *[a-z]+ +[^-+\t\n\"},)\]]*\d", re.IGNORECASE),
    "its interval begins with a sign, which some of the source's roles mean for all fields, others for the "
    "first (interval_style)",
)
"""No style writes such, but a producer may."""


@dataclass(frozen=True, slots=True)
class Said:
    """What the source says of one setting.

    Attributes:
        default: what its database or server says, as far as that can be seen.
        others: what roles say who differ.
    """

    default: str
    others: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[str, ...]:
        """Every value that a producer's session may have."""
        return (self.default, *self.others)


@dataclass(frozen=True, slots=True)
class Styles:
    """How the job reads values of the source.

    Attributes:
        date_order: order of a date's fields; `STRICT`: only ISO dates are read.
        interval: ``IntervalStyle`` of the target's session.
        monetary: ``lc_monetary`` of it.
        zones: time zones in which producers may write.
        doubts: values that are not read.
        notes: what a person should know, such as roles that write otherwise.
    """

    date_order: str = STRICT
    interval: str = "postgres"
    monetary: str = ""
    zones: tuple[str, ...] = ()
    doubts: tuple[Doubt, ...] = (_SIGNED,)
    notes: tuple[str, ...] = ()

    def of(self, type_: str) -> Doubt | None:
        """The doubt of a column's type, if there is one."""
        return next((doubt for doubt in self.doubts if type_ in doubt.types), None)


AS_SHIPPED = Styles()
"""Those of a server that nobody has configured."""


def read_styles(cursor: Cursor, date_style: str, interval_style: str) -> Styles:
    """How values of a source are read.

    Args:
        cursor: of the source.
        date_style: what the job's file says; empty: nothing.
        interval_style: the same of intervals.

    Raises:
        psycopg2.Error: the source failed.
    """
    said = {name: Said(default, tuple(others)) for name, default, others in _rows(cursor)}
    order, notes = _date_order(said["datestyle"], date_style)
    interval, doubts, more = _interval(said["intervalstyle"], interval_style)
    monetary, zones = said["lc_monetary"].default, said["timezone"].all
    return Styles(order, interval, monetary, zones, doubts, (*notes, *more))


def _rows(cursor: Cursor) -> Iterator[tuple[str, str, Sequence[str]]]:
    for name, default, others in queries.rows(cursor, "source_styles"):
        yield name, default, sorted({other for other in others if other.lower() != default.lower()})


def _date_order(said: Said, given: str) -> tuple[str, tuple[str, ...]]:
    if given:
        style = DateStyle.parse(given)
        return (STRICT if style.name == "ISO" else style.order), ()
    styles = dict.fromkeys(map(DateStyle.parse, said.all))
    orders = {style.order for style in styles if style.name != "ISO"}
    names = "; ".join(str(style) for style in styles if style.name != "ISO")
    if len(orders) > 1:
        return STRICT, (f"dates are read in ISO style only, as roles differ ({names}); date_style decides",)
    if not orders:
        return STRICT, ()
    return orders.pop(), (f"dates are read as the source writes them: DateStyle {names}",)


def _interval(said: Said, given: str) -> tuple[str, tuple[Doubt, ...], tuple[str, ...]]:
    if given:
        return given, (), ()
    styles = {style.lower() for style in said.all}
    if "sql_standard" not in styles:
        return "postgres", (_SIGNED,), ()
    note = "intervals are read as the source writes them: IntervalStyle sql_standard"
    if len(styles) == 1:
        return "sql_standard", (), (note,)
    # It reads what any style writes.
    return "sql_standard", (_WORDED,), (f"{note}; roles differ: {', '.join(sorted(styles))}",)


def apply_styles(styles: Styles, source: Connection, target: Connection) -> Styles:
    """Let the target's session read as `styles` say; returns them, with doubts that only the target knows.

    Settings that the target's connection string gives stay.

    Raises:
        psycopg2.Error: a database failed.
    """
    wanted = {"DateStyle": f"ISO, {styles.date_order}", "IntervalStyle": styles.interval}
    given = target.session.info.dsn_parameters.get("options", "").lower()
    for name, value in wanted.items():
        if name.lower() not in given:
            target.set(name, value)
    doubts = [*styles.doubts]
    if doubt := _money_doubt(styles.monetary, target):
        doubts.append(doubt)
    if styles.date_order != STRICT and (names := _strange_zones(styles.zones, source, target)):
        pattern = rb"\b(?:" + b"|".join(re.escape(name.encode()) for name in names) + rb")\b"
        doubts.append(
            Doubt(
                _ZONED,
                re.compile(pattern),
                f"its time zone may be {', '.join(names)}, which the target takes for another one than the "
                "source does; with DateStyle = ISO the producer would write numbers",
            )
        )
    return replace(styles, doubts=tuple(doubts))


def _money_doubt(monetary: str, target: Connection) -> Doubt | None:
    """Let the target's session read money as the source writes it; a doubt if the server cannot."""
    try:
        target.set("lc_monetary", monetary)
    except psycopg2.errors.InvalidParameterValue:
        return Doubt(
            frozenset({"money"}),
            re.compile(rb"\d"),
            f"its amount is written by lc_monetary = {monetary}, which the target's server does not have",
        )
    return None


def _strange_zones(zones: Sequence[str], source: Connection, target: Connection) -> list[str]:
    """Abbreviations of the source's time zones that the target would read as another zone."""
    samples, strange = [], []
    with source.cursor() as cursor:
        for zone in zones:
            samples += queries.rows(cursor, "zone_samples", zone=zone)
    for name in sorted({name for name, _, _ in samples}):
        _, texts, moments = zip(*(sample for sample in samples if sample[0] == name), strict=True)
        try:
            with target, target.cursor() as cursor:
                if not queries.value(cursor, "reads_moments", texts=list(texts), moments=list(moments)):
                    strange.append(name)
        except psycopg2.DataError:
            # It refuses the rows of that zone itself.
            continue
    return strange
