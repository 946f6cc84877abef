"""What the check says of facts, without a database."""

from __future__ import annotations

import pytest
from harness.rows.job import settings_of
from tdsup.dispatcher.check.bookfacts import Bookkeeping, PositionFacts
from tdsup.dispatcher.check.bookkeeping import bookkeeping_findings
from tdsup.dispatcher.check.feeders import Feeders
from tdsup.dispatcher.check.finding import Fault, Finding, Note
from tdsup.dispatcher.check.serverfacts import Server, server_findings
from tdsup.dispatcher.check.sourcefacts import ConsumerFacts, SourceFacts
from tdsup.dispatcher.events import Operation
from tdsup.dispatcher.ledger import Entry, Position, SchemaFacts, Storage, Tick
from tdsup.dispatcher.rights.needs import PARENT, UNATTACHED, UNPARTITIONED, Rights, changes_of, rights_for
from tdsup.dispatcher.route import Mode
from tdsup.dispatcher.settings import Settings

ALL = frozenset(Operation)
CHANGES = ALL - {Operation.TRUNCATE}


def settings() -> Settings:
    """A job that stops at bad events."""
    keys = {"src_db": "dbname=s", "dst_db": "dbname=t", "pgq_queue_name": "q", "dest_table": "d"}
    return settings_of(**keys, bad_events="stop")


def server(*, standby: bool = False, read_only: bool = False) -> Server:
    """A server on which the role may do everything."""
    return Server(
        "18.1 (Debian)",
        "app",
        standby,
        read_only,
        may_create=True,
        may_stage=True,
        database="t",
        now="2026-01-01 00:00:00+00",
        time_zone="UTC",
    )


LEDGER = SchemaFacts(*[True] * 10)


def position_finding(
    tick: int | None, consumer: ConsumerFacts | None, *, entry: Entry | None = None
) -> Finding:
    """What is said of a position and the source's consumer."""
    position = Position("q", "job", Storage.OWN, entries=True)
    facts = PositionFacts(
        LEDGER, position=position, tick=None if tick is None else Tick(tick, 10.0 * tick), entry=entry
    )
    source = SourceFacts(consumer=consumer)
    first, last = bookkeeping_findings(Bookkeeping(facts), settings(), server(), source)
    assert last == Note("a bad event stops the job")
    return first


def registered(last: int, next_tick: int | None = None, *, shift: float = 0.0) -> ConsumerFacts:
    """A consumer at a tick; tick n is of second 10 n, and of `shift` seconds."""
    return ConsumerFacts(
        1,
        last,
        next_tick,
        last_time=10.0 * last + shift,
        next_time=None if next_tick is None else 10.0 * next_tick + shift,
    )


@pytest.mark.parametrize(
    ("tick", "consumer", "said"),
    [
        (None, None, "the first start writes the tick at which it registers the consumer"),
        (None, ConsumerFacts(None), "the first start writes the tick at which it registers the consumer"),
        (7, registered(7), "it is the source's"),
        (7, registered(7, 9), "it is the source's"),
        (9, registered(7, 9), "it is the end of the source's open batch"),
        (7, None, "the position is tick 7, kept in tdsup.completed_tick"),
    ],
)
def test_a_position_that_fits(tick: int | None, consumer: ConsumerFacts | None, said: str) -> None:
    """It is the start of the source's batch or its end; a source that could not be asked is left out."""
    found = position_finding(tick, consumer)
    assert isinstance(found, Note)
    assert found.text.endswith(said)


@pytest.mark.parametrize(
    ("consumer", "said"),
    [
        (registered(7), "Lost position: batch 7..7, dst has 8 "),
        (registered(7, 9), "Lost position: batch 7..9, dst has 8 "),
        (registered(8, shift=1.0), "Lost position: batch 8..8, dst has 8 of another time"),
    ],
)
def test_a_lost_position(consumer: ConsumerFacts, said: str) -> None:
    """Anything else is a fault."""
    found = position_finding(8, consumer)
    assert isinstance(found, Fault)
    assert found.text.startswith(said)


def test_a_consumer_that_somebody_else_registered() -> None:
    """Without a position, a person has to choose where it begins."""
    found = position_finding(None, registered(7))
    assert isinstance(found, Fault)
    assert "registered on the source, at tick 7; choose where it begins" in found.text


def test_a_position_on_the_move() -> None:
    """While the consumer works, its position is not compared."""
    owner = Entry(
        3,
        "me",
        "far",
        17,
        18,
        None,
        None,
        None,
        None,
        None,
        None,
        {},
        None,
        lives=True,
        waits_since="",
        is_visible=True,
        state=2,
    )
    found = position_finding(8, registered(7), entry=owner)
    assert found == Note(
        "the position is kept in tdsup.completed_tick; "
        "the consumer works now: host far, backend 17 of the target"
    )


@pytest.mark.parametrize(
    ("wanted", "triggers", "operations"),
    [
        ((), {}, ALL),
        (("a",), {"a": frozenset(), "b": frozenset({Operation.DELETE})}, ALL),
        (("a", "b"), {"a": frozenset(), "b": frozenset({Operation.DELETE})}, {Operation.DELETE}),
    ],
)
def test_operations_that_may_come(
    wanted: tuple[str, ...], triggers: dict[str, frozenset[Operation]], operations: set[Operation]
) -> None:
    """Those of the enabled triggers of wanted tables; if there is no trigger, any may come."""
    assert Feeders(wanted, triggers).operations == operations


@pytest.mark.parametrize(
    ("changes", "rights", "needed"),
    [
        ({Operation.INSERT}, PARENT, []),
        (CHANGES, PARENT, ["select", "delete"]),
        (ALL, UNPARTITIONED, ["insert", "select", "update", "delete", "truncate"]),
        ({Operation.UPDATE}, UNATTACHED, ["insert", "select", "update", "delete"]),
    ],
)
def test_rights_are_named_once(changes: set[Operation], rights: Rights, needed: list[str]) -> None:
    """In the order in which people grant them."""
    assert rights_for(changes, rights, settings()) == needed


def test_who_marks_rows_empties_no_table() -> None:
    """Nor needs the right to."""
    marking = settings().model_copy(update={"deleted_at": "gone"})
    assert rights_for(ALL, PARENT, marking) == ["select", "delete", "update"]
    assert rights_for({Operation.DELETE, Operation.TRUNCATE}, UNPARTITIONED, marking) == ["select", "update"]


@pytest.mark.parametrize(
    ("standby", "read_only", "reason"),
    [
        (True, True, "the server is a standby"),
        (
            False,
            True,
            (
                "default_transaction_read_only is on; "
                "run there: alter role app set default_transaction_read_only = off"
            ),
        ),
    ],
)
def test_a_server_that_takes_no_changes(standby: bool, read_only: bool, reason: str) -> None:
    """It is a fault; of the two reasons, the standby is named."""
    answer, fault = server_findings(server(standby=standby, read_only=read_only))
    assert answer == Note("PostgreSQL 18.1, as role app")
    assert fault == Fault(f"nothing can be changed there: {reason}")


@pytest.mark.parametrize(
    ("where", "mode", "wanted"), [("a = b", "plain", True), ("", "plain", False), ("a = b", "append", False)]
)
def test_rows_that_no_longer_match_have_to_be_removed(where: str, mode: Mode, wanted: bool) -> None:
    """With `where`, an update may ask for what a delete does; not where it adds a row."""
    keys = {"src_db": "dbname=s", "dst_db": "dbname=t", "pgq_queue_name": "q", "dest_table": "d"}
    given = settings_of(**keys, where=where)
    changes = changes_of(given, {Operation.UPDATE}, mode, fed=True, only_table=True)
    assert (Operation.DELETE in changes) is wanted
