"""Every event has an outcome, and the table of outcomes is true."""

from __future__ import annotations

import re

import pytest
from harness.rows.job import Keys, drain, job_keys
from harness.rows.mirror import TRIGGERS
from harness.rows.outcomes import CASES, COLUMNS, Case, Dead, Ignored, Row, job_of_orders
from harness.servers.database import Database
from harness.servers.queue import Queue

ALL = [case for cases in CASES.values() for case in cases]

NATIVE = COLUMNS.replace(" primary key", "") + ", primary key (id, at)"

PARENTS = {
    "inherited": f"create table orders ({COLUMNS})",
    "native": f"create table orders ({NATIVE}) partition by range (at)",
}
"""Statements that make the table, by how it is partitioned."""


def outcome_of(case: Case, kind: str) -> Row | Dead | Ignored:
    """The outcome of a case's event in a table partitioned in this way."""
    return case.native if case.native and kind == "native" else case.outcome


def send(source: Database, case: Case, number: int) -> int:
    """Put a case's event, for the row with a number, into the queue; returns the event's id."""
    event: int = source.value(
        "select pgq.insert_event('q', %s, %s, 'public.orders', null, null, null)",
        case.type,
        case.data_for(number),
    )
    return event


@pytest.fixture(params=PARENTS)
def kind(request: pytest.FixtureRequest) -> str:
    """How the table is partitioned."""
    kind: str = request.param
    return kind


@pytest.fixture
def keys(source: Database, target: Database, kind: str) -> Keys:
    """Keys of a job with a registered consumer; row 0 is in the target."""
    return job_of_orders(source, target, PARENTS[kind])


def fits(
    outcome: Row | Dead | Ignored, row: tuple[object, ...] | None, letter: tuple[object, ...] | None
) -> bool:
    """Whether a row and a dead letter, at most one of which exists, are the outcome."""
    if isinstance(outcome, Row):
        return letter is None and row == (f"orders_{outcome.partition}", outcome.note, outcome.n)
    if isinstance(outcome, Ignored):
        return row is None and letter is None
    pattern = ".*".join(map(re.escape, outcome.reason.split(".*")))
    return (
        row is None
        and letter is not None
        and letter[1] == outcome.sqlstate
        and re.match(pattern, str(letter[0])) is not None
    )


def faults(target: Database, kind: str, events: dict[int, int]) -> list[str]:
    """Cases with another outcome than they should have; `events` holds event ids by the row's number."""
    rows = {
        row[0]: row[1:] for row in target.rows("select id, tableoid::regclass::text, note, n from orders")
    }
    letters = {
        row[0]: row[1:] for row in target.rows("select ev_id, reason, sqlstate from tdsup.dead_letter")
    }
    return [
        f"{case.what}: {outcome}, but it is {rows.get(number) or letters.get(events[number])}"
        for number, case in enumerate(ALL, 1)
        if not fits(outcome := outcome_of(case, kind), rows.get(number), letters.get(events[number]))
    ]


def test_the_table_of_outcomes_is_true(source: Database, target: Database, kind: str, keys: Keys) -> None:
    """All cases in one batch: each becomes the row, the dead letter or nothing, as the table says."""
    events = {number: send(source, case, number) for number, case in enumerate(ALL, 1)}
    source.execute("select pgq.ticker('q')")
    values = drain(**keys)
    assert faults(target, kind, events) == []
    assert values["events"] == len(ALL) == values["rows"] + values["dead_letters"] + values["ignored"]
    by_operation = values["outcomes"].items()
    # Rows are counted where they are written, events by their operation.
    assert values["rows"] == sum(number for key, number in by_operation if key.endswith(",row"))
    assert {"insert", "update", "delete", "other"} == {key.partition(",")[0] for key, _ in by_operation}
    assert target.value("select count(*) from orders") == 1 + values["rows"]
    assert target.value("select count(*) from tdsup.dead_letter") == values["dead_letters"]


def test_no_outcome_depends_on_its_neighbours(
    source: Database, target: Database, kind: str, keys: Keys
) -> None:
    """Each case alone in a batch has the same outcome."""
    events = {}
    for number, case in enumerate(ALL, 1):
        events[number] = send(source, case, number)
        source.execute("select pgq.ticker('q')")
    drain(**keys)
    assert faults(target, kind, events) == []


def test_there_are_many_ways_to_be_bad() -> None:
    """The table has at least twenty."""
    assert sum(isinstance(case.outcome, Dead) for case in ALL) >= 20


@pytest.mark.parametrize(
    "style", ["ISO, DMY", "German", "SQL, DMY", "SQL, MDY", "Postgres, DMY", "Postgres, MDY"]
)
@pytest.mark.parametrize("trigger", TRIGGERS)
def test_no_date_style_of_a_producer_misfiles(
    source: Database, target: Database, queue: Queue, style: str, trigger: str
) -> None:
    """In any column a date is what the producer meant, or its event a dead letter that names DateStyle."""
    ddl = "create table t (id int primary key, part date, day date, at timestamp, atz timestamptz)"
    for database in (source, target):
        database.execute(ddl)
    queue.attach("t", function=trigger)
    keys = job_keys(source, target)
    drain(**keys, part_field="part")
    with source.another() as producer:
        producer.execute(f"set DateStyle = {style}")
        producer.execute(
            "insert into t values (1, '2026-04-03', '2026-05-06', '2026-07-08', '2026-09-10 11:12')"
        )
        # A day above 12 cannot be a month, and is not read as one.
        producer.execute("insert into t (id, part, day) values (2, '2026-04-13', '2026-05-16')")
        producer.execute("insert into t (id, part, day) values (3, null, '2026-05-06')")
    queue.tick()
    understood = trigger == "jsontriga" or style.startswith("ISO")
    values = drain(**keys, part_field="part")
    assert values["rows"] == (2 if understood else 0)
    assert target.rows("select * from t") == (
        source.rows("select * from t where id < 3") if understood else []
    )
    reasons = target.column("select reason from tdsup.dead_letter where reason !~ 'is NULL'")
    assert len(reasons) == (0 if understood else 2)
    assert all("DateStyle" in reason for reason in reasons)
    # Without partitions the target decides how to read it.
    source.execute("select pgq.register_consumer_at('q', 'job', 1)")
    target.execute("drop table t cascade; truncate tdsup.completed_tick, tdsup.dead_letter;" + ddl)
    drain(**keys, start="registered")
    loaded = target.rows("select * from t order by id")
    assert loaded == [row for row in source.rows("select * from t order by id") if row in loaded]
    reasons = target.column("select reason from tdsup.dead_letter")
    assert len(loaded) + len(reasons) == 3
    assert all("DateStyle" in reason for reason in reasons)
