"""Dead letters: events without a row are kept whole, and can be tried again."""

from __future__ import annotations

import logging
import threading

import pytest
from harness.rows.job import RunningJob, drain, settings_of
from harness.servers.database import Database
from harness.servers.queue import Queue
from tdsup.dispatcher.actions import ACTIONS
from tdsup.dispatcher.errors import DataError, SetupError

LETTER = "select ev_id, ev_type, ev_data, ev_extra1, reason, sqlstate from tdsup.dead_letter order by ev_id"


def act(name: str, keys: dict[str, object], *arguments: str) -> list[str]:
    """The lines of an action on the job."""
    (action,) = (action for action in ACTIONS if action.name == name)
    return list(action.run(settings_of(**keys), arguments))


@pytest.fixture
def keys(source: Database, target: Database, queue: Queue) -> dict[str, object]:
    """Keys of a job that loads the table t by day; its consumer is registered."""
    target.execute("create table t (id int primary key, day date, n int check (n < 100))")
    keys: dict[str, object] = {
        "src_db": source.dsn,
        "dst_db": target.dsn,
        "pgq_queue_name": queue.name,
        "dest_table": "t",
        "part_field": "day",
    }
    drain(**keys)
    return keys


def good(queue: Queue, first: int, last: int, day: str = "2026-11-24") -> None:
    """Put rows that load into the queue."""
    for number in range(first, last + 1):
        queue.insert("I:id", f"id={number}&day={day}&n=1", "public.t")


def test_an_event_that_cannot_be_decoded_counts_as_what_its_type_says(
    queue: Queue, keys: dict[str, object]
) -> None:
    """Its type can be read; only a type that tells nothing is another operation."""
    for type_ in ("I:id", "U:id", "D:id", "D", "click", '{"op":"UPDATE","pkey":["id"]}', '{"op":"MERGE"}'):
        queue.insert(type_, "id=%zz", "public.t")
    queue.tick()
    assert drain(**keys)["outcomes"] == {
        "insert,dead_letter": 2,
        "update,dead_letter": 2,
        "delete,dead_letter": 2,
        "other,dead_letter": 1,
    }


def test_a_letter_holds_the_whole_event_and_why(
    source: Database, target: Database, queue: Queue, keys: dict[str, object]
) -> None:
    """All of the event's columns, the reason, the SQLSTATE; the rest of its batch is loaded."""
    good(queue, 1, 3)
    event = source.value("select pgq.insert_event('q', 'I:id', 'id=4&day=x%00', 'public.t', 'é', '3', null)")
    other = source.value("select pgq.insert_event('q', 'I:id', 'id=5&day=2026-11-24&n=500')")
    good(queue, 6, 7)
    queue.tick()
    values = drain(**keys)
    assert (values["events"], values["rows"], values["dead_letters"]) == (7, 5, 2)
    assert target.column("select id from t order by id") == [1, 2, 3, 6, 7]
    first, second = target.rows(
        "select ev_id, ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4, reason, sqlstate, event "
        "from tdsup.dead_letter order by ev_id"
    )
    assert first[:7] == (event, "I:id", "id=4&day=x%00", "public.t", "é", "3", None)
    assert first[7:] == (r"its partition value 'x\x00' is no date in ISO style", None, None)
    assert second[0] == other
    assert second[7].startswith('new row for relation "t_2026_11_24" violates check constraint')
    assert second[8] == "23514"
    sent = source.rows(
        "select ev_id, ev_time, ev_txid from pgq.event_template where ev_id in (%s, %s)", event, other
    )
    assert target.rows("select ev_id, ev_time, ev_txid from tdsup.dead_letter") == sent


def test_the_log_tells_the_first(
    source: Database, queue: Queue, keys: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    """One warning for a batch: how many, in which batch, the first event and its reason."""
    # One statement, lest the ticker comes between.
    event = source.value(
        "select min(pgq.insert_event('q', 'I:id', 'id=1&day&n=1')) from generate_series(1, 2)"
    )
    queue.tick()
    with caplog.at_level(logging.WARNING):
        drain(**keys)
    (record,) = caplog.records
    assert record.message.startswith("job: 2 dead letters in batch ")
    assert record.message.endswith(f"of queue q: the first is event {event}: its partition value is NULL")


def test_a_batch_over_the_limit_blocks_the_job(
    target: Database, queue: Queue, keys: dict[str, object]
) -> None:
    """Then the set-up is wrong, not the data: nothing is loaded, nothing is a dead letter."""
    good(queue, 1, 3)
    for _ in range(5):
        queue.insert("I:id", "id=9&day=2026-11-24&n=x")
    queue.tick()
    with pytest.raises(
        SetupError,
        match=r"cannot load batch \d+ of queue q: more than 4 of its events are bad \(bad_event_limit\), "
        r"the first is event \d+: invalid input syntax",
    ):
        drain(**keys, bad_event_limit=4)
    assert target.value("select count(*) from t") == 0
    assert target.value("select to_regclass('tdsup.dead_letter')") is None
    assert drain(**keys, bad_event_limit=5)["dead_letters"] == 5


def test_stop_names_the_event(target: Database, queue: Queue, keys: dict[str, object]) -> None:
    """With bad_events = stop the first bad event stops the job, also one that only the target refuses."""
    good(queue, 1, 3)
    event = queue.insert("I:id", "id=1&day=2026-11-24&n=1")
    good(queue, 4, 5)
    queue.tick()
    with pytest.raises(DataError, match=rf"cannot load event {event} of batch \d+ of queue q: duplicate key"):
        drain(**keys, bad_events="stop")
    assert target.value("select count(*) from t") == 0


@pytest.mark.parametrize("every", [1, 2, 10, 97])
def test_every_bad_row_is_found(target: Database, queue: Queue, keys: dict[str, object], every: int) -> None:
    """Wherever they are, and whether the server tells the line (syntax) or not (a foreign key)."""
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
    values = drain(**keys)
    assert target.column("select id from t order by id") == [number for number, _ in wanted]
    assert target.column("select ev_id from tdsup.dead_letter order by ev_id") == [event for _, event in bad]
    assert values["rows"] + values["dead_letters"] == 300


def test_constraints_that_wait_for_the_commit(
    target: Database, queue: Queue, keys: dict[str, object]
) -> None:
    """A deferred constraint is checked in time to tell the row."""
    target.execute(
        "create table other (id int primary key);"
        "create table t_2026_11_24 (like t, foreign key (n) references other deferrable initially deferred) "
        "inherits (t); insert into other values (1)"
    )
    good(queue, 1, 3)
    bad = queue.insert("I:id", "id=4&day=2026-11-24&n=2")
    queue.tick()
    drain(**keys)
    assert target.column("select id from t order by id") == [1, 2, 3]
    assert target.rows("select ev_id, sqlstate from tdsup.dead_letter") == [(bad, "23503")]


def test_a_row_that_fits_no_page_or_index_is_a_letter(
    source: Database, target: Database, queue: Queue, keys: dict[str, object]
) -> None:
    """Limits of PostgreSQL that one row exceeds are the row's fault."""
    target.execute("alter table t add note text; create index on t (note)")
    target.execute("create table t_2026_11_24 (like t including all) inherits (t)")
    source.execute(
        "select pgq.insert_event('q', 'I:id', 'id=1&day=2026-11-24&note=' || "
        "(select string_agg(md5(g::text), '') from generate_series(1, 500) g))"
    )
    good(queue, 2, 3)
    queue.tick()
    drain(**keys)
    assert target.column("select id from t order by id") == [2, 3]
    assert target.column("select sqlstate from tdsup.dead_letter") == ["54000"]


def test_replay_loads_what_has_become_good(target: Database, queue: Queue, keys: dict[str, object]) -> None:
    """A letter goes in the transaction that loads it; one that is still bad stays with its new reason."""
    first = queue.insert("I:id", "id=1&day=2026-12-01&n=500", "public.t")
    queue.insert("I:id", "id=2&day=never&n=1", "public.t")
    queue.insert("I:id", "id=3&day=2026-11-24&n=1&extra=5", "public.t")
    queue.tick()
    drain(**keys)
    ids = target.column("select id from tdsup.dead_letter order by ev_id")
    assert len(ids) == 3
    target.execute(
        "alter table t drop constraint t_n_check; alter table t_2026_12_01 drop constraint t_n_check"
    )
    target.execute("alter table t add extra int; drop table t_2026_11_24")
    lines = act("replay", keys)
    assert lines == [
        f"{ids[0]}: loaded",
        f"{ids[1]}: its partition value 'never' is no date in ISO style",
        f"{ids[2]}: loaded",
        "loaded 2 of 3",
    ]
    assert target.rows("select tableoid::regclass::text, id, n, extra from t order by id") == [
        ("t_2026_12_01", 1, 500, None),
        ("t_2026_11_24", 3, 1, 5),
    ]
    assert target.column("select id from tdsup.dead_letter") == [ids[1]]
    assert first not in target.column("select ev_id from tdsup.dead_letter")


def test_two_replays_at_once_load_each_letter_once(
    target: Database, queue: Queue, keys: dict[str, object]
) -> None:
    """Also while the job itself goes on."""
    for number in range(1, 41):
        queue.insert("I:id", f"id={number}&day=2026-11-24&n=500", "public.t")
    queue.tick()
    drain(**keys)
    target.execute(
        "alter table t drop constraint t_n_check; alter table t_2026_11_24 drop constraint t_n_check"
    )
    lines: list[str] = []
    with RunningJob(**keys) as job:
        replays = [threading.Thread(target=lambda: lines.extend(act("replay", keys))) for _ in range(2)]
        for replay in replays:
            replay.start()
        good(queue, 101, 120)
        queue.tick()
        for replay in replays:
            replay.join()
        job.wait_for("running", rows=20)
    assert target.column("select id from t order by id") == [*range(1, 41), *range(101, 121)]
    assert sum(line.endswith(": loaded") for line in lines) == 40
    assert target.value("select count(*) from tdsup.dead_letter") == 0


def test_list_show_and_purge(target: Database, queue: Queue, keys: dict[str, object]) -> None:
    """What people see of letters; ids that are none are refused."""
    assert act("list", keys) == ["(no dead letters)"]
    assert act("replay", keys) == ["loaded 0 of 0"]
    assert act("purge", keys) == ["purged 0"]
    event = queue.insert("I:id", "id=1&day=2026-11-24&n=500", "public.t")
    queue.insert("I:id", "id=2&day&n=1", "public.t")
    queue.tick()
    drain(**keys)
    one, two = (str(letter) for letter in target.column("select id from tdsup.dead_letter order by ev_id"))
    header, line, _ = act("list", keys)
    assert header.split() == ["ID", "EVENT", "DIED", "TYPE", "TABLE", "SQLSTATE", "REASON"]
    assert line.split()[:2] == [one, str(event)]
    assert "I:id  public.t  23514     new row for relation" in line
    shown = act("show", keys, one)
    assert "ev_data    id=1&day=2026-11-24&n=500" in shown
    assert "ev_extra2  NULL" in shown
    for name in ("show", "replay"):
        with pytest.raises(SetupError, match=r"of job: there is none with id 999999"):
            act(name, keys, "999999")
    with pytest.raises(SetupError, match="'x' is no list of ids"):
        act("purge", keys, "x")
    assert act("purge", keys, one) == ["purged 1"]
    assert act("list", keys)[1].split()[0] == two
    assert act("purge", keys) == ["purged 1"]


def test_letters_of_others_are_not_touched(target: Database, queue: Queue, keys: dict[str, object]) -> None:
    """Each consumer sees its own only."""
    queue.insert("I:id", "id=2&day&n=1", "public.t")
    queue.tick()
    drain(**keys)
    assert act("list", {**keys, "job_name": "another"}) == ["(no dead letters)"]
    assert act("purge", {**keys, "job_name": "another"}) == ["purged 0"]
    assert target.value("select count(*) from tdsup.dead_letter") == 1


@pytest.mark.parametrize("encoding", ["UTF8", "LATIN1", "SQL_ASCII"])
def test_an_event_is_kept_exactly_in_any_encoding(
    source: Database, target: Database, queue: Queue, keys: dict[str, object], encoding: str
) -> None:
    """What the target's encoding cannot hold is shown escaped, and replayed as it was."""
    name = f"{target.value('select current_database()')}_{encoding.lower()}"
    target.execute(
        f"create database {name} encoding '{encoding}' lc_collate 'C' lc_ctype 'C' template template0"
    )
    try:
        there = Database(target.dsn.replace(target.value("select current_database()"), name))
        there.execute("create table t (id int, day date, note text)")
        keys = {**keys, "dst_db": there.dsn, "pgq_consumer_id": encoding}
        drain(**keys)
        data = '{"id":1,"day":"never","note":"€ and é"}'
        queue.insert('{"op":"INSERT","table":["public","t"],"pkey":["id"]}', data, "public.t")
        queue.tick()
        drain(**keys)
        shown, exact = there.rows("select ev_data, event is null from tdsup.dead_letter")[0]
        assert exact == (encoding == "UTF8")
        assert shown == (data if exact else data.encode("ascii", "backslashreplace").decode())
        letter = there.value("select id from tdsup.dead_letter")
        assert act("replay", keys) == [
            f"{letter}: its partition value 'never' is no date in ISO style",
            "loaded 0 of 1",
        ]
        there.close()
    finally:
        target.execute(f"drop database {name} with (force)")


def test_without_a_place_for_letters_the_job_says_what_to_do(
    target: Database, queue: Queue, keys: dict[str, object]
) -> None:
    """A role that may not create the table is told what to grant; nothing is lost."""
    role = f"limited_{target.value('select current_database()')}"
    database = target.value("select current_database()")
    target.execute(
        f"create role {role} login; revoke create on database {database} from {role};"
        f"grant usage on schema tdsup to {role}; grant all on tdsup.completed_tick, t to {role};"
        f"grant create on schema public to {role}; alter table t owner to {role}"
    )
    try:
        good(queue, 1, 1)
        queue.insert("I:id", "id=2&day&n=1", "public.t")
        queue.tick()
        limited = {**keys, "dst_db": f"{target.dsn} user={role}"}
        with pytest.raises(
            SetupError,
            match=r"cannot create table tdsup.dead_letter in the target database: permission denied .*; "
            "grant create on the database, or set bad_events = stop",
        ):
            drain(**limited)
        assert target.value("select count(*) from t") == 0
    finally:
        target.execute(f"reassign owned by {role} to current_user; drop owned by {role}; drop role {role}")


def test_a_deferred_constraint_beside_another_bad_row(
    target: Database, queue: Queue, keys: dict[str, object]
) -> None:
    """A child that comes before its parent is no bad row for that."""
    target.execute("alter table t add foreign key (n) references t deferrable initially deferred")
    queue.insert("I:id", "id=1&day=2026-11-24&n=3")
    queue.insert("I:id", "id=2&day=2026-11-24&n=x")
    queue.insert("I:id", "id=3&day=2026-11-24&n")
    queue.tick()
    drain(**{**keys, "part_field": ""})
    assert target.column("select id from t order by id") == [1, 3]
    assert target.column("select sqlstate from tdsup.dead_letter") == ["22P02"]


def test_a_replay_files_by_the_time_of_the_source(
    source: Database, target: Database, queue: Queue, keys: dict[str, object]
) -> None:
    """The time of an event is in the source's zone, also when it comes from the target's letters."""
    for database, zone in ((source, "Pacific/Kiritimati"), (target, "Pacific/Pago_Pago")):
        name = database.value("select current_database()")
        database.execute(f"alter database {name} set TimeZone = '{zone}'")
    by_time = {**keys, "part_field": "_EVTIME"}
    queue.insert("I:id", "id=1&n=1")
    queue.insert("I:id", "id=2&n=500")
    queue.tick()
    drain(**by_time)
    target.execute("alter table t drop constraint t_n_check")
    for (partition,) in target.rows("select inhrelid::regclass::text from pg_inherits"):
        target.execute(f"alter table {partition} drop constraint if exists t_n_check")
    assert act("replay", by_time)[-1] == "loaded 1 of 1"
    first, second = target.column("select tableoid::regclass::text from t order by id")
    assert first == second
