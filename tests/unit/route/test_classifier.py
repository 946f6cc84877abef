"""Which events are for the block path, and what is remembered of their columns."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from harness.rows.job import settings_of
from tdsup.dispatcher.events import Deed, Operation, Writing
from tdsup.dispatcher.load.known import Known
from tdsup.dispatcher.partitions.periodcache import PeriodCache
from tdsup.dispatcher.postgres import UTF8, Encoding
from tdsup.dispatcher.route.classifier import Classifier, EventKind, Handling
from tdsup.dispatcher.route.routes import MAX_COLUMNS, Router
from tdsup.dispatcher.route.rowmode import RowMode, Uniques
from tdsup.dispatcher.settings import Settings

TYPES = (
    b"I:id",
    b"U:id",
    b"D:id",
    b"R",
    b"I",
    b"U",
    b"D",
    b'{"op":"INSERT","pkey":["id"]}',
    b'{"op":"DELETE","pkey":["id"]}',
    b"order placed",
    b"pgq.x",
    b"\\N",
)

LETTERS = {Handling.ADD: "A", Handling.CHANGE: "C", Handling.IGNORE: "I", Handling.IN_ORDER: "O"}

HANDLINGS = {
    ("plain", "I, U, D, R"): "ACCOACCACAIA",
    ("plain", "I"): "AIIIAIIAIAIA",
    ("plain", "U, D"): "ICCIICCICIII",
    ("keep_all", "I, U, D, R"): "AAIIAOIAIAIA",
    ("keep_all", "U"): "IAIIIOIIIIII",
    ("keep_latest", "I, U, D, R"): "CCCIACCCCAIA",
    ("append", "I, U, D, R"): "AAAIAOOAAAIA",
    ("append", "D"): "IIAIIIOIAIII",
    ("auto", "I, U, D, R"): "ACCOACCACAIA",
}
"""What is done with events of each of `TYPES`, by row_mode and event_types; a letter for each type."""


def settings_with(**keys: object) -> Settings:
    """Settings of a job with these keys."""
    return settings_of(
        src_db="dbname=a", dst_db="dbname=b", pgq_queue_name="q", dest_table="t", loop_delay=1, **keys
    )


def classifier(encoding: Encoding = UTF8, **keys: object) -> Classifier:
    """A classifier of a job with these keys."""
    settings = settings_with(**keys)
    row_mode = RowMode(settings, Uniques("t", (frozenset({"id"}),)), truncates=[b"id"])
    feed = SimpleNamespace(truncates=True)
    return Classifier(Router(settings, PeriodCache(settings.part_method), row_mode, feed), encoding)


@pytest.mark.parametrize(("row_mode", "event_types"), HANDLINGS)
def test_the_type_tells_what_is_done(row_mode: str, event_types: str) -> None:
    """Truncates are for the row path, and what does not hold the row that is to be added."""
    made = classifier(row_mode=row_mode, event_types=event_types)
    kinds = [made.kind(type_, b"public.t") for type_ in TYPES]
    assert "".join(LETTERS[kind.handling] for kind in kinds) == HANDLINGS[row_mode, event_types]


def test_a_kind_knows_its_operation_table_and_key() -> None:
    """Even of a table whose name has to be escaped, or of none."""
    made = classifier(event_types="I")
    unread, url = Writing.UNREAD, Writing.URLENCODED
    ignored, added = Handling.IGNORE, Handling.ADD
    update, insert = Operation.UPDATE, Operation.INSERT
    assert made.kind(b"U:id", b"public.a\\\\b") == EventKind(
        ignored, Deed.NOTHING, url, update, b"public.a\\b", (b"id",)
    )
    assert made.kind(b"pgq.x", b"\\N") == EventKind(ignored, Deed.NOTHING, unread, None, b"")
    assert made.kind(b"x", b"\\N") == EventKind(added, Deed.INSERT, Writing.EITHER, insert, b"")
    assert made.kind(b"I:id,k2", b"t") == EventKind(added, Deed.INSERT, url, insert, b"t", (b"id", b"k2"))
    assert made.kind(b"pgq.passed-over", b"t").is_passed_over
    assert made.kind(b"{", b"t").handling is Handling.IN_ORDER


def test_texts_in_another_encoding_are_for_the_row_path() -> None:
    """What has to be read as text is read there; url-encoded bytes are just passed on."""
    made = classifier(Encoding("LATIN1", "LATIN1"))
    kinds = [made.kind(type_, b"t") for type_ in (b"I:id", b"I", b'{"op":"INSERT"}', b"x")]
    assert [kind.handling for kind in kinds] == [
        Handling.ADD,
        Handling.IN_ORDER,
        Handling.IN_ORDER,
        Handling.ADD,
    ]
    assert kinds[3].writing is Writing.URLENCODED


def test_columns_are_known_by_each_way_to_spell_them() -> None:
    """One of several spellings in one way is known; a name is never given twice."""
    known = Known()
    columns = [(b"id", b"id"), (b"note", b"no%74e")]
    assert known.can_take(columns, Writing.URLENCODED)
    known.take(columns, Writing.URLENCODED)
    assert not known.lacks(b"note", b"no%74e", Writing.URLENCODED)
    assert known.lacks(b"note", b'"note"', Writing.VALUES)
    assert known.can_take([(b"note", b'"note"')], Writing.VALUES)
    assert not known.can_take([(b"note", b"note")], Writing.URLENCODED)
    assert not known.can_take([(b"x", b"x"), (b"x", b"%78")], Writing.URLENCODED)
    assert not known.can_take([(b"", b"")], Writing.URLENCODED)
    assert known.has_room(b"%d" % number for number in range(MAX_COLUMNS - 2))
    assert not known.has_room(b"%d" % number for number in range(MAX_COLUMNS))
    assert not known.has_room([b"x" * (1 << 17)])


def test_a_fold_is_told_what_is_known() -> None:
    """Changes are taken in the order of events by a known key; a table that refers to itself is told."""
    known, made = Known(), classifier(row_mode="plain")
    settings = settings_with(part_field="day", fields="id, note:text, day")
    for type_ in (b"I:id", b"U:id", b"U:other", b"R", b"pgq.x"):
        known.kinds[type_, b"t"] = made.kind(type_, b"t")
    known.take([(b"id", b"id"), (b"note", b"note"), (b"size", b"size")], Writing.URLENCODED)
    description, _kinds = known.described(settings, ["ev_id"], ordered=False)
    assert [prefix.type for prefix in description.prefixes] == [b"pgq.x"]
    known.take([(b"day", b"day")], Writing.URLENCODED)
    description, kinds = known.described(settings, ["ev_id"], ordered=False)
    assert [prefix.type for prefix in description.prefixes] == [b"I:id", b"pgq.x"]
    assert [kind.operation for kind in kinds] == [Operation.INSERT, None]
    assert (description.key, description.part, description.least) == ((), 3, 3)
    assert description.loaded == (True, True, False, True)
    known.key, known.refers_to_itself = (b"id",), True
    description, _kinds = known.described(settings, ["ev_id"], ordered=True)
    assert [prefix.type for prefix in description.prefixes] == [b"I:id", b"U:id", b"pgq.x"]
    assert (description.key, description.replaces) == ((0,), False)
    known.clear()
    assert known == Known()
