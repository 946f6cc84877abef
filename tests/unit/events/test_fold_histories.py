"""What a fold comes to is what its events do one by one."""
# Long: each history is a case.

from __future__ import annotations

import pytest
from harness.rows.folds import FOLDS, PREFIXES, Make, allow, description, made, told, with_given
from tdsup.dispatcher.events import _fold
from tdsup.dispatcher.events.folded import Act, Description, Group, Stop
from tdsup.dispatcher.events.purefold import PureFold
from tdsup.dispatcher.postgres import copytext


def line(prefix: int, data: bytes, old: bytes | None = None, time: bytes = b"x") -> bytes:
    """A line as the source writes it."""
    of = PREFIXES[prefix]
    return copytext.line([b"7", time, of.type, data, of.table, *([old] if old is not None else [])])


ADD, UPD, DEL, JSON_ADD, JSON_DEL, SQL_ADD, SQL_UPD, SQL_DEL = 0, 1, 2, 3, 5, 6, 7, 8

HISTORIES: dict[str, tuple[list[tuple[int, bytes]], list[tuple[Act, bytes]]]] = {
    "insert": ([(ADD, b"id=1&x=a")], [(Act.INSERT, b"1\ta\n")]),
    "insert, update": ([(ADD, b"id=1&x=a"), (UPD, b"id=1&x=b")], [(Act.INSERT, b"1\tb\n")]),
    "insert, delete": ([(ADD, b"id=1&x=a"), (DEL, b"id=1&x=a")], [(Act.FIND_ABSENT, b"1\n")]),
    "insert, delete, insert": (
        [(ADD, b"id=1&x=a"), (DEL, b"id=1"), (ADD, b"id=1&x=c")],
        [(Act.INSERT, b"1\tc\n")],
    ),
    "update": ([(UPD, b"id=1&x=a")], [(Act.REPLACE, b"1\ta\n")]),
    "update, update": ([(UPD, b"id=1&x=a"), (UPD, b"id=1&x=longer")], [(Act.REPLACE, b"1\tlonger\n")]),
    "update, delete": ([(UPD, b"id=1&x=a"), (DEL, b"id=1")], [(Act.REMOVE, b"1\n")]),
    "update, delete, update": (
        [(UPD, b"id=1&x=a"), (DEL, b"id=1"), (UPD, b"id=1&x=b")],
        [(Act.REMOVE, b"1\n"), (Act.INSERT, b"1\tb\n")],
    ),
    "delete": ([(DEL, b"id=1&x=a")], [(Act.DELETE, b"1\n")]),
    "delete, delete": ([(DEL, b"id=1"), (DEL, b"id=1")], [(Act.DELETE, b"1\n")]),
    "delete, insert": (
        [(DEL, b"id=1&x=a"), (ADD, b"id=1&x=b")],
        [(Act.DELETE, b"1\n"), (Act.INSERT, b"1\tb\n")],
    ),
    "other columns": ([(UPD, b"id=1&x=a"), (UPD, b"id=1&no%74e=n")], [(Act.REPLACE, b"1\tn\ta\n")]),
    "other columns, the first of them empty": (
        [(UPD, b"id=&x=a"), (UPD, b"id=&no%74e=n")],
        [(Act.REPLACE, b"\tn\ta\n")],
    ),
    "patch": ([(SQL_UPD, b"x='a' where id='1'")], [(Act.PATCH, b"1\ta\n")]),
    "patch, patch": (
        [(SQL_UPD, b"x='a' where id='1'"), (SQL_UPD, b"note='n' where id='1'")],
        [(Act.PATCH, b"1\tn\ta\n")],
    ),
    "insert, patch": (
        [(SQL_ADD, b"(id,x) values ('1','a')"), (SQL_UPD, b"note=null where id='1'")],
        [(Act.INSERT, b"1\t\\N\ta\n")],
    ),
    "patch, delete": (
        [(SQL_UPD, b"x='a' where id='1'"), (SQL_DEL, b"id='1'")],
        [(Act.REMOVE_PRESENT, b"1\n")],
    ),
    "patch, delete, insert": (
        [(SQL_UPD, b"x='a' where id='1'"), (SQL_DEL, b"id='1'"), (SQL_ADD, b"(id,x) values ('1','b')")],
        [(Act.REMOVE_PRESENT, b"1\n"), (Act.INSERT, b"1\tb\n")],
    ),
    "rows by their keys": (
        [(UPD, b"id=10&x=a"), (UPD, b"id=9&x=b"), (ADD, b"id=8&x"), (ADD, b"id=7&x")],
        [(Act.REPLACE, b"9\tb\n10\ta\n"), (Act.INSERT, b"8\t\\N\n7\t\\N\n")],
    ),
}
"""Events, and what they come to."""


def check(
    fold: _fold.Fold | PureFold, history: tuple[list[tuple[int, bytes]], list[tuple[Act, bytes]]]
) -> None:
    """Fail unless a fold makes of events, which are of noon, what they come to."""
    events, wanted = history
    block = b"".join(line(prefix, data, time=b"noon") for prefix, data in events)
    assert fold.add(block, 0) == (len(block), Stop.ALL)
    groups = [Group._make(group) for group in fold.groups()]
    assert [(group.act, fold.text(number, group.columns)) for number, group in enumerate(groups)] == wanted
    assert sum(fold.counts()[0]) == len(events)


@FOLDS
@pytest.mark.parametrize("name", HISTORIES)
def test_histories(make: Make, name: str) -> None:
    """What a batch does to a key is what its events do to it one by one."""
    check(make(description()), HISTORIES[name])


@FOLDS
@pytest.mark.parametrize(
    "events",
    [
        [(ADD, b"id=1&x"), (ADD, b"id=1&x")],
        [(UPD, b"id=1&x"), (ADD, b"id=1&x")],
        [(DEL, b"id=1&x"), (SQL_UPD, b"x='a' where id='1'")],
        [(SQL_UPD, b"x='a' where id='1'"), (ADD, b"id=1&x")],
    ],
)
def test_an_event_that_must_be_a_dead_letter_ends_it(make: Make, events: list[tuple[int, bytes]]) -> None:
    """An insert of a key that is there, and a change of one that is not."""
    fold, lines_ = make(description()), [line(*event) for event in events]
    assert fold.add(b"".join(lines_), 0) == (len(lines_[0]), Stop.BAD)


@FOLDS
def test_deletes_of_what_the_batch_has_deleted_ask_for_nothing(make: Make) -> None:
    """They are counted apart, as are updates of sqltriga that change no column that is loaded."""
    fold = make(description(loaded=(True, True, True, False)))
    block = line(DEL, b"id=1") * 2 + line(SQL_UPD, b"x='a' where id='2'")
    assert fold.add(block, 0) == (len(block), Stop.ALL)
    taken, ignored = fold.counts()
    assert (taken[DEL], ignored[DEL], taken[SQL_UPD], ignored[SQL_UPD]) == (2, 1, 1, 1)
    assert fold.counts() == ((0,) * len(PREFIXES),) * 2


@FOLDS
def test_a_key_that_changes_is_for_the_row_path(make: Make) -> None:
    """The row may have more than the event tells, and others may refer to it: it has to stay where it is."""
    fold = make(description())
    assert fold.add(line(UPD, b"id=2&day&no%74e&x=a", b"id=1&day&no%74e&x=a"), 0) == (0, Stop.STRANGE)


@FOLDS
@pytest.mark.parametrize(("prefix", "act"), [(JSON_ADD, Act.INSERT), (JSON_DEL, Act.DELETE)])
def test_only_an_update_changes_a_key(make: Make, prefix: int, act: Act) -> None:
    """Whatever else an event tells of an old row: that one stays."""
    fold = make(description())
    block = line(prefix, b'{"id":2}', b'{"id":1}')
    assert fold.add(block, 0) == (len(block), Stop.ALL)
    assert told(fold) == {Group(act, 0, (0,), 1): b"2\n"}


@FOLDS
def test_a_row_that_moves_twice_needs_two_folds(make: Make) -> None:
    """The first day's partition may hold its key, and only the target knows."""
    fold = made(make, description(part=1))
    lines_ = [line(ADD, b"id=1&day=2026-11-24"), line(UPD, b"id=1&day=2026-11-25")]
    assert fold.add(b"".join(lines_), 0) == (len(lines_[0]), Stop.FULL)
    fold.clear()
    assert fold.add(lines_[1], 0) == (len(lines_[1]), Stop.ALL)
    assert list(told(fold)) == [Group(Act.REPLACE, 2, (0, 1), 1)]


@FOLDS
def test_a_row_may_have_a_state_in_each_period(make: Make) -> None:
    """Then a line of another period needs another fold, a delete too; one that tells none is strange."""
    fold = made(make, description(part=1, apart=True))
    assert fold.add(line(UPD, b"id=1&day=2026-11-24"), 0)[1] == Stop.ALL
    for other in (line(UPD, b"id=1&day=2026-11-25"), line(DEL, b"id=1&day=2026-11-25")):
        assert fold.add(other, 0) == (0, Stop.FULL)
    for untold in (line(DEL, b"id=2"), line(DEL, b"id=2&day=never"), line(DEL, b"id=2&day")):
        assert fold.add(untold, 0) == (0, Stop.STRANGE)
    assert fold.add(line(DEL, b"id=1&day=2026-11-24"), 0)[1] == Stop.ALL
    assert list(told(fold)) == [Group(Act.REMOVE, 1, (0,), 1)]


MARKED: dict[str, tuple[list[tuple[int, bytes]], list[tuple[Act, bytes]]]] = {
    "delete": ([(DEL, b"id=1&x=a")], [(Act.MARK, b"noon\t1\n")]),
    "update, delete": ([(UPD, b"id=1&x=a"), (DEL, b"id=1&x=b")], [(Act.REPLACE, b"noon\t1\ta\n")]),
    "update, delete, update": (
        [(UPD, b"id=1&x=a"), (DEL, b"id=1&x=a"), (UPD, b"id=1&x=b")],
        [(Act.REPLACE, b"\\N\t1\tb\n")],
    ),
    "delete, update": (
        [(DEL, b"id=1&x=a"), (UPD, b"id=1&x=b")],
        [(Act.MARK, b"\\N\t1\tb\n"), (Act.REPLACE, b"\\N\t1\tb\n")],
    ),
    "delete, update, delete": (
        [(DEL, b"id=1"), (UPD, b"id=1&x=b"), (DEL, b"id=1")],
        [(Act.MARK, b"noon\t1\tb\n"), (Act.REPLACE, b"noon\t1\tb\n")],
    ),
    "patch, delete": (
        [(SQL_UPD, b"x='a' where id='1'"), (SQL_DEL, b"id='1'")],
        [(Act.PATCH, b"noon\t1\ta\n")],
    ),
    "insert, delete": (
        [(SQL_ADD, b"(id,x) values ('1','a')"), (SQL_DEL, b"id='1'")],
        [(Act.INSERT, b"noon\t1\ta\n")],
    ),
}
"""Events, and what they come to where rows stay whose first column says when they were deleted."""


def marking(**changes: object) -> Description:
    """Of rows that stay when they are deleted."""
    return with_given(description(**changes), given=(1,), mark=0)


@FOLDS
@pytest.mark.parametrize("name", MARKED)
def test_histories_of_rows_that_stay(make: Make, name: str) -> None:
    """A delete changes what is given, whatever else it tells; an update takes it back."""
    check(make(marking()), MARKED[name])


@FOLDS
@pytest.mark.parametrize(
    "event",
    [
        (DEL, b"id=1"),
        (SQL_UPD, b"x='a' where id='1'"),
        (SQL_ADD, b"(id,x) values ('1','a')"),
    ],
)
def test_what_follows_a_delete_needs_another_fold(make: Make, event: tuple[int, bytes]) -> None:
    """Unless it is a whole row: whether the row is there, only the target knows."""
    fold = make(marking())
    assert fold.add(line(DEL, b"id=1", time=b"noon"), 0)[1] == Stop.ALL
    assert fold.add(line(*event, time=b"noon"), 0) == (0, Stop.FULL)


@FOLDS
def test_a_row_that_stays_may_come_back_in_another_period(make: Make) -> None:
    """It is marked where it was; a delete that tells another one than the row's last needs another fold."""
    fold = made(make, marking(part=1))
    block = line(DEL, b"id=1&day=2026-11-24", time=b"noon") + line(UPD, b"id=1&day=2026-11-25", time=b"noon")
    assert fold.add(block, 0) == (len(block), Stop.ALL)
    assert [group[:2] for group in fold.groups()] == [(Act.MARK, 1), (Act.REPLACE, 2)]
    assert fold.add(line(DEL, b"id=1&day=2026-11-24", time=b"noon"), 0) == (0, Stop.FULL)


@FOLDS
def test_what_a_delete_does_not_load_must_be_sound(make: Make) -> None:
    """As in every other line."""
    fold = make(marking())
    assert fold.add(line(DEL, b"id=1&x=%", time=b"noon"), 0) == (0, Stop.STRANGE)


@FOLDS
def test_a_table_that_refers_to_itself_gets_a_row_back_in_another_fold(make: Make) -> None:
    """Rows are added first there, and the same row must be gone before."""
    fold = make(description(replaces=False))
    assert fold.add(line(DEL, b"id=1"), 0)[1] == Stop.ALL
    assert fold.add(line(ADD, b"id=1&x"), 0) == (0, Stop.FULL)


@FOLDS
def test_periods_are_those_allowed(make: Make) -> None:
    """A row of another one is for somebody else; a delete may name one without rows, or none."""
    fold = made(make, description(part=1))
    assert fold.add(line(ADD, b"id=1&day=2026-12-01"), 0) == (0, Stop.STRANGE)
    allow(fold, b"2026-12-01", 4)
    assert fold.add(line(ADD, b"id=1&day=2026-12-01"), 0)[1] == Stop.ALL
    assert fold.add(line(DEL, b"id=2&day=2026-12-02"), 0)[1] == Stop.STRANGE
    allow(fold, b"2026-12-02", 5, rows=False)
    assert fold.add(line(ADD, b"id=2&day=2026-12-02"), 0)[1] == Stop.STRANGE
    assert fold.add(line(DEL, b"id=2&day=2026-12-02"), 0)[1] == Stop.ALL
    assert fold.add(line(DEL, b"id=3&day=never"), 0)[1] == Stop.ALL
    assert [group[1] for group in fold.groups()] == [4, 5, 0]


@FOLDS
def test_without_a_key_rows_are_added_in_their_order(make: Make) -> None:
    """However often the same comes."""
    fold = make(description(key=(), prefixes=PREFIXES[:1]))
    block = line(ADD, b"id=2&x=a") + line(ADD, b"x=b&id=1") + line(ADD, b"id=2&x=a")
    assert fold.add(block, 0) == (len(block), Stop.ALL)
    assert told(fold) == {Group(Act.INSERT, 0, (0, 3), 3): b"2\ta\n1\tb\n2\ta\n"}


@FOLDS
def test_columns_are_written_as_asked_for(make: Make) -> None:
    """Some of them, in any order."""
    fold = make(description())
    assert fold.add(line(ADD, b"id=1&no%74e=%09&x=b"), 0)[1] == Stop.ALL
    fold.groups()
    assert fold.text(0, (3, 0)) == b"b\t1\n"
    assert fold.text(0, (2,)) == b"\\t\n"


def test_the_compiled_fold_refuses_what_is_not_there() -> None:
    """An index out of range is an error, never a byte of somebody else's memory."""
    wrong: list[dict[str, object]] = [
        {"key": (4,)},
        {"key": (-1,)},
        {"key": (0, 0)},
        {"key": (1,), "loaded": (True, False, True, True)},
        {"loaded": (True,)},
        {"part": 4},
        {"part": -3},
        {"first": 0},
        {"first": 99},
        {"columns": ((b"id",),)},
        {"prefixes": ((b"I", "text", 1, 0),)},
        {"mark": 0},
        {"mark": -2},
    ]
    for changed in wrong:
        with pytest.raises((IndexError, ValueError, TypeError)):
            _fold.Fold(description(**changed))
    fold = _fold.Fold(description())
    fold.add(line(ADD, b"id=1&x=b"), 0)
    fold.groups()
    for number, picked in [(1, (0,)), (-1, (0,)), (0, (1,)), (0, (4,)), (0, (-1,)), (0, (0, 0))]:
        with pytest.raises(IndexError):
            fold.text(number, picked)
    fold.clear()
    with pytest.raises(IndexError):
        fold.text(0, (0,))
    for block, start in [(b"a\n", 3), (b"a\n", -1), (b"a", 0)]:
        with pytest.raises(ValueError, match="lines"):
            fold.add(block, start)
    for stretch in [(0, 0, 1), (0, 1, 0), (0, 1, 1 << 14)]:
        with pytest.raises(ValueError, match="no such period"):
            fold.allow(*stretch, True)
