"""Which events are for the block path, and which layouts they have."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from harness.rows.job import settings_of
from tdsup.dispatcher.events.decoder import BY_EVENT_TIME, NOT_PARTITIONED
from tdsup.dispatcher.events.header import Operation
from tdsup.dispatcher.load.layout import Classifier, Handling, Layout, LayoutCache, Prefix
from tdsup.dispatcher.load.plan import WritePlan
from tdsup.dispatcher.load.routes import Router
from tdsup.dispatcher.load.rowmode import RowMode, Uniques
from tdsup.dispatcher.partitions.period import PeriodCache
from tdsup.dispatcher.postgres import copytext
from tdsup.dispatcher.write.writer import Insert

LOAD, IGNORE, IN_ORDER = Handling.LOAD, Handling.IGNORE, Handling.IN_ORDER

TYPES = (
    b"I:id",
    b"U:id",
    b"D:id",
    b"R",
    b"I",
    b"U",
    b"D",
    b'{"op":"INSERT"}',
    b"order placed",
    b"pgq.x",
    None,
)

LETTERS = {LOAD: "L", IGNORE: "I", IN_ORDER: "O"}

HANDLINGS = {
    ("plain", "I, U, D, R"): "LOOOOOOOLIL",
    ("plain", "I"): "LIIOOOOOLIL",
    ("plain", "U, D"): "IOOOOOOOIII",
    ("keep_all", "I, U, D, R"): "LLIOOOOOLIL",
    ("keep_all", "U"): "ILIOOOOOIII",
    ("append", "I, U, D, R"): "LLLOOOOOLIL",
    ("append", "D"): "IILOOOOOIII",
    ("auto", "I, U, D, R"): "LOOOOOOOLIL",
}
"""What is done with events of each of `TYPES`, by row_mode and event_types; a letter for each type."""


def classifier(**keys: object) -> Classifier:
    """A classifier of a job with these keys."""
    settings = settings_of(
        src_db="dbname=a", dst_db="dbname=b", pgq_queue_name="q", dest_table="t", loop_delay=1, **keys
    )
    row_mode = RowMode(settings, Uniques("t", (frozenset({"id"}),)), truncates=[b"id"])
    feed = SimpleNamespace(truncates=True)
    return Classifier(settings, Router(settings, PeriodCache(settings.part_method), row_mode, feed))


def line(data: bytes | None, type_: bytes = b"I:id", *rest: bytes) -> bytes:
    """A line as `Queue.stream` hands it over."""
    return copytext.line([type_, b"public.t", data, *rest, b"7"])


def layout(data: bytes, time: bytes | None = None, **keys: object) -> Layout | None:
    """The layout of an insert."""
    made = classifier(**keys)
    return made.layout(made.event(line(data, b"I:id", *([time] if time else []))))


@pytest.mark.parametrize(("row_mode", "event_types"), HANDLINGS)
def test_the_type_tells_what_is_done(row_mode: str, event_types: str) -> None:
    """Truncates, SQL and JSON are never for the block path: only the data tells what they ask for."""
    made = classifier(row_mode=row_mode, event_types=event_types)
    prefixes = [made.prefix(copytext.line([type_, b"public.t", b""])[:-1]) for type_ in TYPES]
    assert "".join(LETTERS[prefix.handling] for prefix in prefixes) == HANDLINGS[row_mode, event_types]


def test_a_prefix_knows_its_operation_and_table() -> None:
    """Even of a table whose name has to be escaped, or of none."""
    made = classifier(event_types="I")
    assert made.prefix(b"U:id\tpublic.a\\\\b\t") == Prefix(
        b"U:id\tpublic.a\\\\b\t", IGNORE, Operation.UPDATE, b"public.a\\b"
    )
    assert made.prefix(b"pgq.x\t\\N\t") == Prefix(b"pgq.x\t\\N\t", IGNORE, None, b"")
    assert made.prefix(b"x\t\\N\t") == Prefix(b"x\t\\N\t", LOAD, Operation.INSERT, b"")
    assert made.prefix(b"I:id,k2\tt\t") == Prefix(
        b"I:id,k2\tt\t", LOAD, Operation.INSERT, b"t", (b"id", b"k2")
    )


def test_an_event_is_read_from_its_line() -> None:
    """With its time if that is asked for, and without the columns that blocks leave out."""
    event = classifier().event(line(b"a%5C=\\"))
    assert (event.id, event.type, event.table, event.data) == (7, b"I:id", b"public.t", b"a%5C=\\")
    assert (event.time, event.old) == (b"", None)
    event = classifier(part_field="_EVTIME").event(line(None, b"I:id", b"2026-11-24 10:00:00+00"))
    assert (event.id, event.time, event.data) == (7, b"2026-11-24 10:00:00+00", None)


def test_a_layout_tells_which_columns_are_loaded() -> None:
    """By their numbers in the event, in the order of `fields`; names stay encoded."""
    found = layout(b"id=1&d%61y=2026-11-24&note", part_field="day", fields="note:n, id")
    assert found is not None
    assert (found.names, found.routed, found.day_column) == ((b"id", b"d%61y", b"note"), (2, 0), 1)
    assert (found.day, found.key) == (b"2026-11-24", (b"id",))
    assert found.shape.names == (b"note", b"id")
    assert found.picked == (2, 0)
    writer = Insert(settings_of(src_db="", dst_db="", queue_name="q", dest_table="t").dest_table, ("id",))
    assert found.picked_by(WritePlan(writer, (1,), names_rows=True)) == (0,)
    assert found.picked_by(WritePlan(writer, None, names_rows=True)) == (2, 0)


def test_the_part_is_a_column_or_the_event_s_time_or_nothing() -> None:
    """As the decoder wants it."""
    plain, timed = layout(b"id=1"), layout(b"id=1", b"2026-11-24 10:00:00+00", part_field="_EVTIME")
    monthly = layout(b"id=1&day=2026-11-24", part_field="day", part_method="monthly")
    assert plain
    assert timed
    assert monthly
    assert (plain.day_column, plain.day) == (NOT_PARTITIONED, b"")
    assert (timed.day_column, timed.day) == (BY_EVENT_TIME, b"2026-11-24")
    assert (monthly.day_column, monthly.day) == (1, b"2026-11-01")


@pytest.mark.parametrize("data", [b"", b"id=1&", b"&id=1", b"id=1&&n=2", b"=1", b"id=1&id=2", b"id=1&%69d=2"])
def test_empty_and_repeated_names_make_no_layout(data: bytes) -> None:
    """Columns could not be counted by them. A name is repeated however it is encoded."""
    assert layout(data) is None


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"id=%zz&day=2026-11-24", "not url-encoded"),
        (b"id=1", "no column day"),
        (b"id=1&day", "is NULL"),
        (b"id=1&day=24.11.2026", "DateStyle German"),
        (b"day=2026-11-24", "no column id"),
    ],
)
def test_an_event_without_a_row_makes_no_layout(data: bytes, reason: str) -> None:
    """The row path says the same of it."""
    with pytest.raises(ValueError, match=reason):
        layout(data, part_field="day", fields="id, day")


def test_prefixes_are_found_by_their_handling() -> None:
    """In the order in which they became known; and everything can be forgotten."""
    cache, made = LayoutCache(), classifier()
    for text in (b"I:id\ta\t", b"D:id\ta\t", b"pgq.x\ta\t", b"I:id\tb\t"):
        cache.prefixes[text] = made.prefix(text)
    assert [prefix.text for prefix in cache.handled(LOAD)] == [b"I:id\ta\t", b"I:id\tb\t"]
    assert [prefix.text for prefix in cache.handled(IGNORE)] == [b"pgq.x\ta\t"]
    cache.clear()
    assert cache == LayoutCache()
