"""Bad events are found, wherever they are in a batch; too many of them block the job."""

from __future__ import annotations

import logging

import pytest
from harness.rows.pipeline import Pipeline
from harness.servers.database import Database
from harness.servers.queue import Queue
from tdsup.dispatcher.errors import DataError, SetupError

# What a test sends is one batch.
pytestmark = pytest.mark.usefixtures("without_pgqd")

GOOD = "id={}&day=2026-11-24&n=1"
"""An event that loads; its id is missing."""


def test_an_event_that_cannot_be_decoded_counts_as_what_its_type_says(checked: Pipeline) -> None:
    """Its type can be read; only a type that says nothing counts as ``other``."""
    for type_ in ("I:id", "U:id", "D:id", "D", "click", '{"op":"UPDATE","pkey":["id"]}', '{"op":"MERGE"}'):
        checked.queue.insert(type_, "id=%zz", "public.t")
    checked.queue.tick()
    assert checked.drain()["outcomes"] == {
        "insert,dead_letter": 2,
        "update,dead_letter": 2,
        "delete,dead_letter": 2,
        "other,dead_letter": 1,
    }


def test_the_log_tells_the_first(
    source: Database, queue: Queue, checked: Pipeline, caplog: pytest.LogCaptureFixture
) -> None:
    """One warning for a batch: how many, in which batch, the first event and its reason."""
    # One statement, so that pgqd makes no tick in between.
    event = source.value(
        "select min(pgq.insert_event('q', 'I:id', 'id=1&day&n=1')) from generate_series(1, 2)"
    )
    queue.tick()
    with caplog.at_level(logging.WARNING):
        checked.drain()
    (record,) = caplog.records
    assert record.message.startswith("job: 2 dead letters in batch ")
    assert record.message.endswith(f"of queue q: the first is event {event}: its partition value is NULL")


def test_a_batch_over_the_limit_blocks_the_job(target: Database, queue: Queue, checked: Pipeline) -> None:
    """Then the set-up is wrong, not the data: nothing is loaded, and nothing becomes a dead letter."""
    queue.send(*map(GOOD.format, range(1, 4)), tick=False)
    for _ in range(5):
        queue.insert("I:id", "id=9&day=2026-11-24&n=x")
    queue.tick()
    with pytest.raises(
        SetupError,
        match=r"cannot load batch \d+ of queue q: more than 4 of its events are bad \(bad_event_limit\), "
        r"the first is event \d+: invalid input syntax",
    ):
        checked.drain(bad_event_limit=4)
    assert target.value("select count(*) from t") == 0
    assert target.value("select count(*) from tdsup.dead_letter") == 0
    assert checked.drain(bad_event_limit=5)["dead_letters"] == 5


@pytest.mark.usefixtures("without_pgqd")
def test_a_backlog_may_have_as_many_bad_events_as_its_ticks(
    target: Database, queue: Queue, checked: Pipeline
) -> None:
    """A rate of bad events that is fine in step does not block the job after an outage."""
    for number in range(6):
        queue.send(GOOD.format(number), tick=False)
        queue.insert("I:id", "id=9&day=2026-11-24&n=x")
        queue.insert("I:id", "id=9&day=2026-11-24&n=x")
        queue.tick()
    with pytest.raises(
        SetupError, match=r"more than 6 of its events are bad \(bad_event_limit, 6 ticks in one\)"
    ):
        checked.drain(bad_event_limit=1, pgq_batch_collect_events=16)
    assert checked.drain(bad_event_limit=2, pgq_batch_collect_events=16)["dead_letters"] == 12


@pytest.mark.usefixtures("without_pgqd")
def test_a_share_of_bad_events(target: Database, queue: Queue, checked: Pipeline) -> None:
    """With bad_event_share a large batch may have more of them, and not one more than its share."""
    for number in range(1, 96):
        queue.send(GOOD.format(number), tick=False)
    for _ in range(5):
        queue.insert("I:id", "id=9&day=2026-11-24&n=x")
    queue.tick()
    with pytest.raises(SetupError, match=r"more than 4 of its events are bad \(bad_event_share\)"):
        checked.drain(bad_event_limit=0, bad_event_share=0.04)
    assert checked.drain(bad_event_limit=0, bad_event_share=0.05)["dead_letters"] == 5
    assert target.value("select count(*) from t") == 95


@pytest.mark.usefixtures("without_pgqd")
def test_a_share_is_not_rounded_off(queue: Queue, checked: Pipeline) -> None:
    """29 of 100 are no more than 0.29 of them, though 0.29 * 100 is less than 29 for a processor."""
    for number in range(1, 72):
        queue.send(GOOD.format(number), tick=False)
    for _ in range(29):
        queue.insert("I:id", "id=9&day=2026-11-24&n=x")
    queue.tick()
    assert checked.drain(bad_event_limit=0, bad_event_share="0.29")["dead_letters"] == 29


@pytest.mark.usefixtures("without_pgqd")
def test_numbers_of_ticks_that_were_never_made_allow_nothing(
    source: Database, queue: Queue, checked: Pipeline
) -> None:
    """A crash of the source skips numbers of ticks: a batch of one tick still has the limit of one."""
    sequence = source.value("select queue_tick_seq from pgq.queue where queue_name = %s", queue.name)
    for _ in range(32):
        source.value("select nextval(%s)", sequence)
    for _ in range(3):
        queue.insert("I:id", "id=9&day=2026-11-24&n=x")
    queue.tick()
    with pytest.raises(SetupError, match=r"more than 2 of its events are bad \(bad_event_limit\)"):
        checked.drain(bad_event_limit=2)
    assert checked.drain(bad_event_limit=3)["dead_letters"] == 3


RAISE = """
    create function refuse() returns trigger language plpgsql as $$
    begin
        if new.n = 13 then raise exception 'thirteen is bad luck' using errcode = '{}'; end if;
        return new;
    end $$;
    create {} trigger refuse {} insert on t {} for each row execute function refuse()"""


@pytest.mark.usefixtures("without_pgqd")
@pytest.mark.parametrize(
    "trigger",
    [("", "before", ""), ("constraint", "after", "deferrable initially deferred")],
    ids=["at once", "at commit"],
)
@pytest.mark.parametrize(("state", "key"), [("P0001", "P0001"), ("P0001", "22, P0"), ("MY001", "my001")])
def test_a_row_that_a_trigger_refuses(
    target: Database, queue: Queue, checked: Pipeline, trigger: tuple[str, str, str], state: str, key: str
) -> None:
    """Without bad_sqlstates it blocks the job; with it the event is a dead letter, and the rest is loaded."""
    target.execute(RAISE.format(state, *trigger))
    queue.send(*(f"id={number}&day=2026-11-24&n={number}" for number in range(10, 16)))
    with pytest.raises(SetupError, match="thirteen is bad luck"):
        checked.drain(part_field="")
    assert checked.drain(part_field="", bad_sqlstates=key)["dead_letters"] == 1
    assert target.column("select n from t where n > 9 order by n") == [10, 11, 12, 14, 15]
    assert target.rows("select sqlstate, reason from tdsup.dead_letter") == [(state, "thirteen is bad luck")]


@pytest.mark.parametrize("key", ["53", "53100", "40P01", "57P01", "08006", "XX", "XX002"])
def test_a_server_that_fails_is_never_a_bad_event(checked: Pipeline, key: str) -> None:
    """bad_sqlstates takes none of these states."""
    with pytest.raises(ValueError, match=f"must not hold {key}, which says that the server failed"):
        checked.drain(bad_sqlstates=key)


def test_stop_names_the_event(target: Database, queue: Queue, checked: Pipeline) -> None:
    """With bad_events = stop the first bad event stops the job, even if only the target refuses it."""
    queue.send(*map(GOOD.format, range(1, 4)), tick=False)
    event = queue.insert("I:id", "id=1&day=2026-11-24&n=1")
    queue.send(*map(GOOD.format, range(4, 6)))
    with pytest.raises(DataError, match=rf"cannot load event {event} of batch \d+ of queue q: duplicate key"):
        checked.drain(bad_events="stop")
    assert target.value("select count(*) from t") == 0


@pytest.mark.parametrize("every", [1, 2, 10, 97])
def test_every_bad_row_is_found(target: Database, queue: Queue, checked: Pipeline, every: int) -> None:
    """Wherever it is, and whether the server names its line (syntax) or not (a foreign key)."""
    target.execute(
        "create table other (id int primary key); insert into other select generate_series(1, 400)"
    )
    target.execute(
        "create table t_2026_11_24 (like t including all, foreign key (n) references other) inherits (t)"
    )
    wanted: list[tuple[int, int]] = []
    bad: list[tuple[int, int]] = []
    for number in range(1, 301):
        kind = number % every
        value = {0: "x", 1: "0"}.get(kind, "7") if every > 2 else ("x" if kind == 0 else "7")
        event = queue.insert("I:id", f"id={number}&day=2026-11-24&n={value}")
        (wanted if value == "7" else bad).append((number, event))
    queue.tick()
    values = checked.drain()
    assert target.column("select id from t order by id") == [number for number, _ in wanted]
    assert target.column("select ev_id from tdsup.dead_letter order by ev_id") == [event for _, event in bad]
    assert values["rows"] + values["dead_letters"] == 300


def test_constraints_that_wait_for_the_commit(target: Database, queue: Queue, checked: Pipeline) -> None:
    """A deferred constraint is checked early enough to find the row."""
    target.execute(
        "create table other (id int primary key);"
        "create table t_2026_11_24 (like t, foreign key (n) references other deferrable initially deferred) "
        "inherits (t); insert into other values (1)"
    )
    queue.send(*map(GOOD.format, range(1, 4)), tick=False)
    bad = queue.insert("I:id", "id=4&day=2026-11-24&n=2")
    queue.tick()
    checked.drain()
    assert target.column("select id from t order by id") == [1, 2, 3]
    assert target.rows("select ev_id, sqlstate from tdsup.dead_letter") == [(bad, "23503")]


def test_a_row_that_fits_no_page_or_index_is_a_letter(
    source: Database, target: Database, queue: Queue, checked: Pipeline
) -> None:
    """Limits of PostgreSQL that one row exceeds are the row's fault."""
    target.execute("alter table t add note text; create index on t (note)")
    target.execute("create table t_2026_11_24 (like t including all) inherits (t)")
    source.execute(
        "select pgq.insert_event('q', 'I:id', 'id=1&day=2026-11-24&note=' || "
        "(select string_agg(md5(g::text), '') from generate_series(1, 500) g))"
    )
    queue.send(*map(GOOD.format, range(2, 4)))
    checked.drain()
    assert target.column("select id from t order by id") == [2, 3]
    assert target.column("select sqlstate from tdsup.dead_letter") == ["54000"]


@pytest.mark.usefixtures("without_pgqd")
def test_a_deferred_constraint_beside_another_bad_row(
    target: Database, queue: Queue, checked: Pipeline
) -> None:
    """A child that comes before its parent is not a bad row."""
    target.execute("alter table t add foreign key (n) references t deferrable initially deferred")
    queue.insert("I:id", "id=1&day=2026-11-24&n=3")
    queue.insert("I:id", "id=2&day=2026-11-24&n=x")
    queue.insert("I:id", "id=3&day=2026-11-24&n")
    queue.tick()
    checked.drain(part_field="")
    assert target.column("select id from t order by id") == [1, 3]
    assert target.column("select sqlstate from tdsup.dead_letter") == ["22P02"]
