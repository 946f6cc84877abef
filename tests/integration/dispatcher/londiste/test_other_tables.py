"""Where Londiste's tables and ours differ: each line of "Where the results differ" in docs/migrating.md."""

from __future__ import annotations

from collections.abc import Mapping

import psycopg2
import pytest
from harness.londiste.pair import CELLS, COLUMNS, KEY, TABLES, Mode, Pair, Row, rows
from harness.londiste.stories import Batch
from pydantic import ValidationError

PLAIN = {"row_mode": "plain"}
BY_DAY = {"part_field": "created", "row_mode": "keep_latest"}
FIELD = {"part_field": "created"}
BULK = {**FIELD, "load_mode": "bulk"}

INSERT = "insert into orders values (1, 'a', '2026-04-29 10:00:00', 'x', 1)"
MOVE = "update orders set created = '2026-04-30 10:00:00'"

FIRST, SECOND = "orders_2026_04_29", "orders_2026_04_30"
BEFORE = (FIRST, "1", "a", "2026-04-29 10:00:00", "x", "1")
MOVED = (SECOND, "1", "a", "2026-04-30 10:00:00", "x", "1")


def batch(*statements: str, day: str = "2026-04-28") -> Batch:
    """Statements of a day."""
    return Batch(day, statements)


def both(pair: Pair, *columns: str) -> tuple[list[Row], list[Row]]:
    """What Londiste makes of the events, and what we do; all columns, or some."""
    pair.load_theirs()
    assert pair.load_ours()["dead_letters"] == 0
    theirs, ours = (rows(database, columns or CELLS) for database in (pair.theirs, pair.ours))
    return sorted(theirs.elements(), key=str), sorted(ours.elements(), key=str)


# Changes.


@pytest.mark.parametrize("load", [FIELD, *({**BULK, "method": method} for method in "012")])
def test_a_row_that_moves_with_plain(pair: Pair, load: Mapping[str, str]) -> None:
    """Londiste looks for it in the new partition, finds nothing, and leaves the old state in the old one."""
    mode = Mode("daily_field", {"row_mode": "plain", **load}, {**BY_DAY, **PLAIN})
    pair.play(mode, batch(INSERT), batch(MOVE))
    theirs, ours = both(pair)
    # An update by DELETE and COPY adds the row to the new partition, too.
    assert theirs == ([BEFORE, MOVED] if load.get("method") in {"1", "2"} else [BEFORE])
    assert ours == [MOVED]


def test_a_row_that_moves_with_keep_latest_in_bulk(pair: Pair) -> None:
    """By its default method Londiste makes an update of "delete, then insert", and the new state is lost."""
    pair.play(Mode("bulk_daily_field", FIELD, BY_DAY), batch(INSERT), batch(MOVE))
    theirs, ours = both(pair)
    assert theirs == [BEFORE]
    assert ours == [BEFORE, MOVED]


def test_a_key_that_comes_back_with_keep_latest(pair: Pair) -> None:
    """Londiste inserts it beside the state that its partition kept; with a unique index, it stops."""
    story = batch(INSERT), batch(MOVE), batch("delete from orders", INSERT.replace("'x'", "'new'"))
    mode = Mode("daily_field", FIELD, BY_DAY)
    new = (FIRST, "1", "a", "2026-04-29 10:00:00", "new", "1")
    pair.play(mode, *story)
    with pytest.raises(psycopg2.errors.UniqueViolation):
        pair.load_theirs()
    pair.load_ours()
    assert list(rows(pair.ours)) == [new]
    pair.play(mode, *story, parent=COLUMNS)
    theirs, ours = both(pair)
    assert theirs == [new, BEFORE]
    assert ours == [new]


def test_a_key_that_comes_back_in_bulk(pair: Pair) -> None:
    """With method 2 the new row replaces it; if that goes again in the same batch, the former one stays."""
    story = batch(INSERT), batch(MOVE), batch("delete from orders", INSERT.replace("'x'", "'new'"))
    mode = Mode("bulk_daily_field", {**FIELD, "method": "2"}, BY_DAY)
    new = (FIRST, "1", "a", "2026-04-29 10:00:00", "new", "1")
    pair.play(mode, *story)
    assert both(pair) == ([new], [new])
    gone = batch(*story[2].statements, "delete from orders")
    pair.play(mode, *story[:2], gone)
    assert both(pair) == ([BEFORE], [])


@pytest.mark.parametrize(("method", "kept"), [("0", ["3"]), ("1", ["3"]), ("2", ["4"])])
def test_keep_all_in_bulk(pair: Pair, method: str, kept: list[str]) -> None:
    """Londiste keeps the last version of a batch only; with method 2, the last of all."""
    mode = Mode(
        "bulk_daily_field",
        {**FIELD, "row_mode": "keep_all", "method": method},
        {**BY_DAY, "row_mode": "keep_all"},
    )
    update = "update orders set n = n + 1"
    pair.play(mode, batch(INSERT, update, update), batch(update))
    theirs, ours = both(pair, "n")
    assert [n for _, n in theirs] == kept + ["4"] * (method != "2")
    assert [n for _, n in ours] == ["1", "2", "3", "4"]


@pytest.mark.parametrize("method", ["", "0", "1", "2"])
def test_an_update_of_a_row_that_is_absent(pair: Pair, method: str) -> None:
    """Londiste loses it, unless it updates by DELETE and COPY; here it is added, for the event is whole."""
    mode = Mode("bulk_direct", {"method": method}, PLAIN) if method else Mode("direct", {}, PLAIN)
    pair.play(mode, batch(INSERT))
    both(pair)
    for database in (pair.ours, pair.theirs):
        database.execute("delete from orders")
    pair.batch(batch("update orders set n = 2"))
    theirs, ours = both(pair, "id", "n")
    assert theirs == ([("orders", "1", "2")] if method in {"1", "2"} else [])
    assert ours == [("orders", "1", "2")]


@pytest.mark.parametrize("handler", ["direct", "bulk_direct", "londiste"])
def test_a_key_that_changes(pair: Pair, handler: str) -> None:
    """Londiste looks for the new key; here the old one is found by the row before the change."""
    pair.play(Mode(handler, {}, PLAIN), batch(INSERT))
    pair.batch(batch(_event("U:id,kind", "id=2&kind=a&created=2026-04-29+10:00:00&txt=x&n=5", "id=1&kind=a")))
    theirs, ours = both(pair, "id", "n")
    assert theirs == [("orders", "1", "1")]
    assert ours == [("orders", "2", "5")]


def _event(type_: str, data: str, old: str = "") -> str:
    """An event that PgQ's trigger would refuse to write."""
    return (
        f"select pgq.insert_event('q', '{type_}', '{data}', 'public.orders', nullif('{old}', ''), null, null)"
    )


# Truncates.


@pytest.mark.parametrize("handler", ["direct", "bulk_direct"])
def test_a_truncate_within_a_batch(pair: Pair, handler: str) -> None:
    """Londiste empties the table at once, and writes the batch's rows at its end, gone ones, too."""
    pair.play(Mode(handler, {}, PLAIN), batch(INSERT, "truncate orders", INSERT.replace("(1", "(2")))
    theirs, ours = both(pair, "id")
    assert theirs == [("orders", "1"), ("orders", "2")]
    assert ours == [("orders", "2")]


@pytest.mark.parametrize("row_mode", ["keep_latest", "keep_all"])
def test_a_truncate_of_what_is_kept(pair: Pair, row_mode: str) -> None:
    """Londiste empties all partitions unless it is told not to; here what is kept stays."""
    keys = {**BY_DAY, "row_mode": row_mode}
    for ignored in (False, True):
        arguments = {**FIELD, "row_mode": row_mode, **({"ignore_truncate": "1"} if ignored else {})}
        pair.play(Mode("daily_field", arguments, keys), batch(INSERT), batch("truncate orders"))
        theirs, ours = both(pair)
        assert theirs == [BEFORE] * ignored
        assert ours == [BEFORE]


# Events that cannot be loaded.


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("insert into orders values (2, 'a', null, 'x', 1)", "is NULL"),
        ("insert into orders values (2, 'a', 'infinity', 'x', 1)", "does not match format"),
        (_event("I:id,kind", "id=x&kind=a&created=2026-04-29+10:00:00"), "invalid input syntax"),
        (_event("I:id,kind", "id=1&kind=a&created=2026-04-29+10:00:00"), "duplicate key"),
    ],
)
def test_a_bad_event(pair: Pair, statement: str, error: str) -> None:
    """Londiste stops at its batch, for ever; here it becomes a dead letter, and the rest is loaded."""
    mode = Mode("daily_field", {**FIELD, "row_mode": "plain"}, {**BY_DAY, **PLAIN})
    pair.play(mode, batch(INSERT, statement))
    with pytest.raises(Exception, match=error):
        pair.load_theirs()
    assert pair.load_ours()["dead_letters"] == 1
    assert list(rows(pair.ours)) == [BEFORE]
    assert not rows(pair.theirs)


def test_a_column_of_dates(pair: Pair) -> None:
    """Londiste wants a time of day, and stops."""
    columns = COLUMNS.replace("timestamp", "date")
    pair.play(Mode("daily_field", FIELD, BY_DAY), batch(INSERT), columns=columns)
    with pytest.raises(ValueError, match="does not match format"):
        pair.load_theirs()
    pair.load_ours()
    assert list(rows(pair.ours, ["created"])) == [(FIRST, "2026-04-29")]


def test_events_of_other_triggers(pair: Pair) -> None:
    """Londiste's dispatch handlers know those of logutriga only, and stop."""
    mode = Mode("direct", {}, PLAIN)
    for function in ("jsontriga", "sqltriga"):
        pair.play(mode)
        pair.source.execute('drop trigger "_londiste_q" on orders')
        pair.queue.attach("orders", function=function)
        pair.batch(batch(INSERT))
        with pytest.raises(Exception, match="Unsupported event type"):
            pair.load_theirs()
        assert pair.load_ours()["dead_letters"] == 0
        assert list(rows(pair.ours, ["id", "n"])) == [("orders", "1", "1")]


def test_a_mapped_column_that_a_row_lacks(pair: Pair) -> None:
    """It is NULL in Londiste's table; here it makes a dead letter."""
    fields = "id,kind,created,txt,n,missing:m"
    mode = Mode("direct", {"fields": fields}, {**PLAIN, "fields": fields})
    pair.play(mode, batch(INSERT), parent=f"{COLUMNS}, m text{KEY}")
    pair.load_theirs()
    assert pair.load_ours()["dead_letters"] == 1
    assert list(rows(pair.theirs, ["id", "m"])) == [("orders", "1", None)]


def test_a_day_far_away(pair: Pair) -> None:
    """Londiste makes a table for any; here a slip of a date makes a dead letter."""
    mode = Mode("daily_field", FIELD, BY_DAY)
    pair.play(mode, batch(INSERT.replace("2026", "2206")))
    pair.load_theirs()
    assert pair.load_ours()["dead_letters"] == 1
    assert list(rows(pair.theirs, ["id"])) == [("orders_2206_04_29", "1")]


# Partitions.


@pytest.mark.parametrize("row_mode", ["keep_latest", "keep_all"])
def test_a_delete_in_a_period_without_rows(pair: Pair, row_mode: str) -> None:
    """Londiste makes an empty partition for it; here there is none."""
    mode = Mode("daily_event", {"row_mode": row_mode}, {"part_field": "_EVTIME", "row_mode": row_mode})
    pair.play(mode, batch(INSERT, day="2026-04-29"), batch("delete from orders", day="2026-04-30"))
    assert both(pair, "id") == ([(FIRST, "1")], [(FIRST, "1")])
    assert pair.theirs.column(TABLES) == ["orders", FIRST, SECOND]
    assert pair.ours.column(TABLES) == ["orders", FIRST]


def test_a_name_that_tells_no_partitions_apart(pair: Pair) -> None:
    """Londiste loads several days into one table; here such a name is refused, for the period can be said."""
    name = "%(parent)s_%(year)s_%(month)s"
    pair.play(Mode("daily_field", {**FIELD, "part_name": name}, {**BY_DAY, "part_name": name}), batch(INSERT))
    pair.load_theirs()
    assert list(rows(pair.theirs, ["id"])) == [("orders_2026_04", "1")]
    with pytest.raises(ValidationError, match="to tell partitions apart"):
        pair.load_ours()


def test_partitions_without_londiste_s_function(pair: Pair) -> None:
    """They are tables of their own; here they are children, or tables of their own if the file says so."""
    children = "select inhrelid::regclass::text from pg_inherits order by 1"
    arguments = {**FIELD, "part_func": "public.none"}
    for kind, ours in (("auto", [FIRST]), ("alone", [])):
        # From PostgreSQL 18 on, Londiste cannot clone a column that is NOT NULL, as those of a key are.
        mode = Mode("daily_field", arguments, {**BY_DAY, "part_kind": kind})
        pair.play(mode, batch(INSERT), parent=COLUMNS)
        assert both(pair) == ([BEFORE], [BEFORE])
        assert pair.theirs.column(children) == []
        assert pair.ours.column(children) == ours
