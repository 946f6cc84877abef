"""A partition is kept for the period that it was made for, whatever its name means later."""

from __future__ import annotations

from typing import Any

import pytest
from harness.keeper import INHERITED, NATIVE, NOW, YOUNG, Keeper, tables
from harness.servers.database import Database
from tdsup.dispatcher.maintenance import Present, agenda, removal
from tdsup.dispatcher.postgres import Connection, TableName

DAY = 86400.0
FEBRUARY = 1_802_000_000.0
"""2027-02-07 11:33 UTC."""

NAME = "%(parent)s_%(year)s_%(month)s"

KINDS: dict[str, dict[str, Any]] = {
    "children": {"target": ""},
    "alone": {"kind": "alone"},
    "template": {
        "template": "create table _DEST_TABLE (like _PARENT); comment on table _DEST_TABLE is 'mine'"
    },
    "a zone": {"target": "", "zone": "Asia/Tokyo"},
}


def keeper(connection: Connection, kind: str, **more: Any) -> Keeper:
    """Of periods whose names have year and month."""
    return Keeper(connection, name=NAME, **KINDS[kind], **more)


@pytest.mark.parametrize("kind", KINDS)
def test_a_shorter_period(target: Database, connection: Connection, kind: str) -> None:
    """A quarter whose name means a month now does not go before its end."""
    target.execute("create table t (id int, day date)")
    now = FEBRUARY + 10 * DAY
    assert not keeper(connection, kind, method="quarterly", premake=1).look(now, now)
    assert tables(target).keys() == {"t", "t_2027_01", "t_2027_04"}
    monthly = keeper(connection, kind, method="monthly")
    for days in (10, 50, 62):
        assert not monthly.look(FEBRUARY + days * DAY, FEBRUARY + days * DAY)
        assert tables(target).keys() == {"t", "t_2027_01", "t_2027_04"}
    assert not monthly.look(FEBRUARY + 64 * DAY, FEBRUARY + 64 * DAY)
    assert tables(target).keys() == {"t", "t_2027_04"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_longer_period(target: Database, connection: Connection, kind: str) -> None:
    """A month whose name means a quarter now has rows of all of that."""
    target.execute("create table t (id int, day date)")
    now = FEBRUARY - 20 * DAY
    assert not keeper(connection, kind, method="monthly", premake=1).look(now, now)
    quarterly = keeper(connection, kind, method="quarterly")
    assert not quarterly.look(FEBRUARY + 62 * DAY, FEBRUARY + 62 * DAY)
    # That of February is known by its comment alone.
    assert tables(target).keys() == {"t", "t_2027_01"}
    assert not quarterly.look(FEBRUARY + 64 * DAY, FEBRUARY + 64 * DAY)
    assert tables(target).keys() == {"t"}


def test_the_comment(target: Database, connection: Connection) -> None:
    """It is added to what others say there; where a CHECK tells the bounds, there is none."""
    target.execute("create table t (id int, day date); comment on table t is 'mine'")
    now = FEBRUARY
    assert not keeper(connection, "template", method="monthly", premake=1).look(now, now)
    comment = "select obj_description('t_2027_02'::regclass)"
    assert target.value(comment) == "mine\ntdsup: rows from 2027-02-01 to 2027-03-01"
    target.execute("drop table t_2027_02, t_2027_03")
    assert not Keeper(connection, name=NAME, method="monthly", premake=1).look(now, now)
    assert target.value(comment) == "mine"


@pytest.mark.parametrize("words", ["from 2027-99-01 to x", "from a to b", "from 2027-01-01 to 2027-02-01 x"])
def test_comments_that_tell_nothing(target: Database, connection: Connection, words: str) -> None:
    """The name counts."""
    target.execute("create table t (id int, day date); create table t_2027_01 () inherits (t)")
    target.execute(f"comment on table t_2027_01 is 'tdsup: rows {words}'")
    monthly = keeper(connection, "children", method="monthly")
    assert not monthly.look(FEBRUARY, FEBRUARY)
    assert "t_2027_01" in tables(target)
    assert not monthly.look(FEBRUARY + 10 * DAY, FEBRUARY + 10 * DAY)
    assert "t_2027_01" not in tables(target)


def test_a_mark_beside_another_comment(
    target: Database, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is a line of its own, by which a detached table goes; if it is removed, the others stay."""
    monkeypatch.setattr(removal, "PATIENCE", "200ms")
    target.execute(f"{NATIVE}; comment on table old is E'\\nmine\\n\\nand yours'")
    comment = "select obj_description('old'::regclass)"
    with target.another() as other:
        other.execute("begin; lock table only t in share update exclusive mode")
        assert "lock timeout" in Keeper(connection).look()
    assert target.value(comment) == "\nmine\n\nand yours"
    decision = next(
        each for each in Keeper(connection).care.decisions(connection, Present(NOW, NOW)) if each.deed.goes
    )
    connection.rollback()
    step = agenda.steps(decision, TableName("public", "t"), Keeper(connection).care.lifespan, 150000)[0]
    target.execute(step.statements[0])
    assert str(target.value(comment)).startswith("\nmine\n\nand yours\ntdsup drops this table [")
    target.execute("alter table t detach partition old")
    assert not Keeper(connection, action="detach").look()
    assert target.value(comment) == "\nmine\n\nand yours"
    target.execute(step.statements[0])
    assert not Keeper(connection).look()
    assert tables(target) == {**YOUNG, "t_2026_12_31": None}


def test_what_was_detached_stays(target: Database, connection: Connection) -> None:
    """Also of an ordinary parent, whatever becomes of old partitions later."""
    target.execute(f"{INHERITED}; comment on table t_2026_12_31 is 'mine'")
    assert not Keeper(connection, action="detach").look()
    told = target.value("select obj_description('t_2026_12_31'::regclass)")
    assert told == "mine\ntdsup: detached from public.t"
    detached = {**YOUNG, "old": None, "t_2026_12_31": None}
    assert tables(target) == detached
    assert not Keeper(connection, action="drop").look()
    assert tables(target) == detached
    target.execute("alter table t_2026_12_31 inherit t")
    assert not Keeper(connection, action="detach").look()
    assert target.value("select obj_description('t_2026_12_31'::regclass)") == told
    target.execute("alter table t_2026_12_31 inherit t")
    assert not Keeper(connection, action="drop").look()
    assert tables(target) == {**YOUNG, "old": None}
