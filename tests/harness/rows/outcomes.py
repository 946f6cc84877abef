"""A table of events and their outcomes: tests verify it, the documentation shows it."""

from __future__ import annotations

from dataclasses import dataclass

from harness.rows.job import Keys, drain, job_keys
from harness.servers.database import Database
from harness.servers.queue import Queue

COLUMNS = "id int primary key, at timestamptz, note varchar(40), n int check (n < 1000)"
"""Columns of the table ``orders`` that takes the events, partitioned by the day of ``at``."""

DAY = "2026_11_24"
"""Suffix of the partition of most rows."""

NOON = "at=2026-11-24+12%3a00%3a00%2b00"
"""The partition value of most events."""


@dataclass(frozen=True, slots=True)
class Row:
    """The event becomes a row.

    Attributes:
        note: the value of its column ``note``.
        partition: suffix of its partition.
        n: the value of its column ``n``.
    """

    note: str | None = None
    partition: str = DAY
    n: int | None = None

    def __str__(self) -> str:
        return f"row in `orders_{self.partition}`"


@dataclass(frozen=True, slots=True)
class Dead:
    """The event becomes a dead letter.

    Attributes:
        reason: how its reason begins.
        sqlstate: PostgreSQL's error code; None if PostgreSQL did not see the row.
    """

    reason: str
    sqlstate: str | None = None

    def __str__(self) -> str:
        code = f" ({self.sqlstate})" if self.sqlstate else ""
        return f"dead letter{code}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Ignored:
    """The event asks for no change."""

    def __str__(self) -> str:
        return "ignored"


@dataclass(frozen=True, slots=True)
class Case:
    """An event and its outcome.

    Attributes:
        what: describes the event to people.
        data: ``ev_data``; ``{id}`` stands for the row's number.
        outcome: what becomes of it.
        type: ``ev_type``.
        native: its outcome where that differs in a natively partitioned table, whose bounds are moments.
    """

    what: str
    data: str | None
    outcome: Row | Dead | Ignored
    type: str = "I:id"
    native: Row | Dead | None = None

    def data_for(self, number: int) -> str | None:
        """``ev_data`` of the row with a number."""
        return None if self.data is None else self.data.replace("{id}", str(number))


def _note(what: str, text: str, outcome: Row | Dead) -> Case:
    """An insert with that text in its column ``note``, encoded."""
    return Case(what, f"id={{id}}&{NOON}&{text}", outcome)


def _at(what: str, text: str, outcome: Row | Dead) -> Case:
    """An insert with that text in its partition column, encoded."""
    return Case(what, f"id={{id}}{text}", outcome)


def _n(what: str, text: str, outcome: Row | Dead) -> Case:
    return Case(what, f"id={{id}}&{NOON}&n={text}", outcome)


NO_DATE = "its partition value '{}' is no date in ISO style"
STYLE = "its partition value '{}' is in DateStyle {}, in which the source's database does not write"
NOT_ENCODED = "its data is not url-encoded: stray % at byte"
INSERT = '{"op":"INSERT","table":["public","orders"],"pkey":["id"]}'
NOON_JSON = '"at":"2026-11-24T12:00:00+00:00"'


def job_of_orders(source: Database, target: Database, ddl: str) -> Keys:
    """Keys of a registered job on a new queue ``q``; its table ``orders``, made by `ddl`, holds row 0."""
    target.execute(ddl)
    queue = Queue(source, "q")
    queue.create()
    keys = job_keys(source, target, table="orders", part_field="at")
    drain(**keys)
    queue.send("id=0&at=2026-11-24 12:00:00%2b00", table="public.orders")
    drain(**keys)
    return keys


CASES: dict[str, tuple[Case, ...]] = {
    "Values": (
        _note("a value", "note=text", Row("text")),
        _note("no `=`: NULL", "note", Row(None)),
        _note("`=` and nothing: empty", "note=", Row("")),
        _note("encoded bytes, `+` for space", "note=a+b%21%0a%09%5C%2b", Row("a b!\n\t\\+")),
        _note("bytes that need no encoding", "note=a/b;c'd\"e", Row("a/b;c'd\"e")),
        _note("UTF-8", "note=%e2%82%ac%f0%9f%90%98", Row("€🐘")),
        _note("COPY's own marks", "note=%5cN%5c.", Row(r"\N\.")),
        _note("SQL", "note=%27)%3b+drop+table+orders%3b--", Row("'); drop table orders;--")),
        _note("a name twice: the last counts", "note=one&note=two", Row("two")),
        _note("empty elements", "&&note=x&", Row("x")),
        _note("a column that is missing: its default", "n=5", Row(None, n=5)),
        _note("a NUL byte", "note=a%00b", Dead("invalid byte sequence for encoding", "22021")),
        _note("bytes that are no UTF-8", "note=%ff%fe", Dead("invalid byte sequence for encoding", "22021")),
        _note("half a UTF-8 character", "note=%e2%82", Dead("invalid byte sequence for encoding", "22021")),
        _note("a surrogate", "note=%ed%a0%80", Dead("invalid byte sequence for encoding", "22021")),
        _note("`%` and no hexadecimal digits", "note=%zz", Dead(NOT_ENCODED)),
        _note("a lone `%`", "note=50%", Dead(NOT_ENCODED)),
        _note("half an escape", "note=%4", Dead(NOT_ENCODED)),
        _note("a text that is too long", "note=" + "x" * 41, Dead("value too long for type", "22001")),
        _n("a number", "999", Row(n=999)),
        _n("no number", "x", Dead("invalid input syntax for type integer", "22P02")),
        _n("an empty number", "", Dead("invalid input syntax for type integer", "22P02")),
        _n(
            "a number that is too large",
            "9999999999",
            Dead("value .* is out of range for type integer", "22003"),
        ),
        _n("a value against a constraint", "1000", Dead("new row for relation .* violates check", "23514")),
        Case(
            "a key that is there already",
            f"id=0&{NOON}",
            Dead("duplicate key value violates unique", "23505"),
        ),
        Case("a key that is missing", f"{NOON}&note=x", Dead("null value in column", "23502")),
        Case("a key that is NULL", f"id&{NOON}", Dead("null value in column", "23502")),
    ),
    "Columns": (
        _note("a column that the target lacks", "color=red", Dead("table .* has no column color")),
        _note("a column without a name", "=x", Dead("table .* has no column")),
        _note(
            "a column named by SQL", "id%29%3b+drop+table+orders%3b--=x", Dead("table .* has no column id")
        ),
        _note("a column whose name is no UTF-8", "%ff=x", Dead("the name of a column is not UTF-8")),
        _note(
            "a column name that PostgreSQL would cut off", f"{'x' * 64}=1", Dead("table .* has no column x")
        ),
        Case("no column at all", "", Dead("its data holds no column"), type="click"),
    ),
    "Partition values": (
        _at("a date", "&at=2026-11-24", Row()),
        _at("a time and zone", "&at=2026-11-24+10%3a00%3a00.123456%2b00", Row()),
        _at("`T` between date and time", "&at=2026-11-24T10:00:00", Row()),
        _at("`Z` behind it", "&at=2026-11-24T10:00:00Z", Row()),
        Case(
            "another zone than the source's: the day as written",
            "id={id}&at=2026-11-24+23%3a30%3a00-08",
            Row(),
            native=Row(partition="2026_11_25"),
        ),
        _at("a zone's name", "&at=2026-11-24+10%3a00+Europe%2fTallinn", Row()),
        _at("single digits", "&at=2026-1-2", Row(partition="2026_01_02")),
        _at("a leap day", "&at=2028-02-29", Row(partition="2028_02_29")),
        _at("a day that is none", "&at=2026-02-30", Dead("its partition value '2026-02-30' is no date")),
        _at("NULL", "&at", Dead("its partition value is NULL")),
        _at("missing", "&note=x", Dead("it has no column at, which part_field names")),
        _at("empty", "&at=", Dead(NO_DATE.format(""))),
        _at("infinity", "&at=infinity", Dead(NO_DATE.format("infinity"))),
        _at("before Christ", "&at=0044-03-15+BC", Dead(NO_DATE.format("0044-03-15 BC"))),
        _at("the year 10000", "&at=10000-01-01", Dead(NO_DATE.format("10000-01-01"))),
        _at("24:00, which is the next day", "&at=2026-11-24+24:00", Dead(NO_DATE.format("2026-11-24 24:00"))),
        _at("DateStyle German", "&at=24.11.2026+10:00", Dead(STYLE.format("24.11.2026 10:00", "German"))),
        _at("DateStyle SQL, DMY", "&at=24%2f11%2f2026", Dead(STYLE.format("24/11/2026", "SQL"))),
        _at("DateStyle SQL, MDY", "&at=11%2f24%2f2026", Dead(STYLE.format("11/24/2026", "SQL"))),
        _at("DateStyle Postgres", "&at=Tue+24+Nov+2026", Dead(STYLE.format("Tue 24 Nov 2026", "Postgres"))),
        _at("a number", "&at=1.5", Dead(NO_DATE.format("1.5"))),
        _at(
            "SQL",
            "&at=2026-11-24%3b+drop+table+orders",
            Dead(NO_DATE.format("2026-11-24; drop table orders")),
        ),
        _at("a date behind white space", "&at=+2026-11-24", Dead(NO_DATE.format(" 2026-11-24"))),
    ),
    "Formats": (
        Case("logutriga, no key", f"id={{id}}&{NOON}&note=x", Row("x"), type="I:"),
        Case("logutriga, update of an absent row", f"id={{id}}&{NOON}&note=x", Row("x"), type="U:id"),
        Case("logutriga, delete of an absent row", f"id={{id}}&{NOON}&note=x", Ignored(), type="D:id"),
        Case(
            "an update without a key",
            f"id={{id}}&{NOON}",
            Dead("it changes a row and does not tell"),
            type="U:",
        ),
        Case("an update without its key's value", f"{NOON}&n=1", Dead("it has no column id"), type="U:id"),
        Case("jsontriga", f'{{"id":{{id}},{NOON_JSON},"note":"ü\\n","n":7}}', Row("ü\n", n=7), type=INSERT),
        Case("JSON that is cut off", '{"id":{id},"no', Dead("its data is no JSON object"), type=INSERT),
        Case("JSON, but no object", "[1]", Dead("its data is no JSON object"), type=INSERT),
        Case(
            "half a surrogate in JSON",
            '{"id":{id},"note":"\\ud83d"}',
            Dead("its data is no JSON object"),
            type=INSERT,
        ),
        Case(
            "a NUL in JSON",
            f'{{"id":{{id}},{NOON_JSON},"note":"\\u0000"}}',
            Dead("invalid byte", "22021"),
            type=INSERT,
        ),
        Case(
            "jsontriga with another operation",
            "{}",
            Dead("its type is not one of jsontriga's"),
            type='{"op":"MERGE"}',
        ),
        Case(
            "sqltriga",
            "(id,at,note) values ('{id}','2026-11-24 12:00:00+00',E'it''s\\\\')",
            Row("it's\\"),
            type="I",
        ),
        Case(
            "sqltriga, SQL that is none of its",
            "(id) values (now())",
            Dead("its data is no row of sqltriga"),
            type="I",
        ),
        Case(
            "sqltriga, update of an absent row",
            "note='x' where id='{id}'",
            Dead("it changes a row that"),
            type="U",
        ),
        Case("sqltriga, delete of an absent row", "id='{id}'", Ignored(), type="D"),
        Case("a producer's own type", f"id={{id}}&{NOON}&note=x", Row("x"), type="order placed"),
        Case(
            "a producer's own type, not url-encoded",
            "order 1 was placed",
            Dead("its data is not url-encoded"),
            type="placed",
        ),
        Case(
            "a producer's own type, JSON",
            f'{{"id":{{id}},{NOON_JSON},"note":"ü\\n","n":7}}',
            Row("ü\n", n=7),
            type="order placed",
        ),
        Case(
            "a producer's own type, JSON that is cut off",
            '{"id":{id},"no',
            Dead("its data is no JSON object"),
            type="placed",
        ),
        Case(
            "a producer's own type, a JSON array", "[1,2]", Dead("its data is not url-encoded"), type="placed"
        ),
        Case("no data", None, Dead("its data is NULL")),
        Case("PgQ's own events", "whatever", Ignored(), type="pgq.location-info"),
    ),
}
"""Events by chapter. Row 0 is there already. Truncates are left out, as they would empty the table."""
