"""Dead letters: events without a row are kept whole, listed, and loaded once that is possible."""

from __future__ import annotations

import json
import threading

import pytest
from harness.rows.pipeline import Pipeline
from harness.servers.database import Database
from harness.servers.queue import Queue
from tdsup.dispatcher.errors import SetupError

GOOD = "id={}&day=2026-11-24&n=1"
"""An event that loads; its id is missing."""


def test_a_letter_holds_the_whole_event_and_why(
    source: Database, target: Database, queue: Queue, checked: Pipeline
) -> None:
    """All of the event's columns, the reason, the SQLSTATE; the rest of its batch is loaded."""
    queue.send(*map(GOOD.format, range(1, 4)), tick=False)
    event = source.value("select pgq.insert_event('q', 'I:id', 'id=4&day=x%00', 'public.t', 'é', '3', null)")
    other = source.value("select pgq.insert_event('q', 'I:id', 'id=5&day=2026-11-24&n=500')")
    queue.send(*map(GOOD.format, range(6, 8)))
    values = checked.drain()
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


@pytest.mark.parametrize("encoding", ["UTF8", "LATIN1", "SQL_ASCII"])
def test_an_event_is_kept_exactly_in_any_encoding(
    source: Database, target: Database, queue: Queue, checked: Pipeline, encoding: str
) -> None:
    """What the target's encoding cannot hold is shown escaped, and replayed as it was."""
    name = f"{target.value('select current_database()')}_{encoding.lower()}"
    target.execute(
        f"create database {name} encoding '{encoding}' lc_collate 'C' lc_ctype 'C' template template0"
    )
    try:
        there = Database(target.dsn.replace(target.value("select current_database()"), name))
        there.execute("create table t (id int, day date, note text)")
        changes = {"dst_db": there.dsn, "pgq_consumer_id": encoding}
        checked.drain(**changes)
        data = '{"id":1,"day":"never","note":"€ and é"}'
        queue.insert('{"op":"INSERT","table":["public","t"],"pkey":["id"]}', data, "public.t")
        queue.tick()
        checked.drain(**changes)
        shown, exact = there.rows("select ev_data, event is null from tdsup.dead_letter")[0]
        assert exact == (encoding == "UTF8")
        assert shown == (data if exact else data.encode("ascii", "backslashreplace").decode())
        letter = there.value("select id from tdsup.dead_letter")
        assert checked.act("replay", **changes) == [
            f"{letter}: its partition value 'never' is no date in ISO style",
            "loaded 0 of 1",
            "cannot replay dead letters of job: 1 of 1 stay, for the reasons above",
        ]
        there.close()
    finally:
        target.execute(f"drop database {name} with (force)")


def test_without_a_place_for_letters_the_job_says_what_to_do(
    target: Database, queue: Queue, checked: Pipeline
) -> None:
    """A role that may not create the table is told what to grant; nothing is lost."""
    role = f"limited_{target.value('select current_database()')}"
    database = target.value("select current_database()")
    target.execute(
        f"drop table tdsup.dead_letter; "
        f"create role {role} login; revoke create on database {database} from {role};"
        f"grant usage on schema tdsup to {role}; grant all on tdsup.completed_tick, t to {role};"
        f"grant create on schema public to {role}; alter table t owner to {role}"
    )
    try:
        queue.send(*map(GOOD.format, range(1, 2)), tick=False)
        queue.insert("I:id", "id=2&day&n=1", "public.t")
        queue.tick()
        with pytest.raises(
            SetupError,
            match=r"cannot create table tdsup.dead_letter in the target database: the role lacks create on "
            r"schema tdsup; grant it, .*, or set bad_events = stop",
        ):
            checked.drain(dst_db=f"{target.dsn} user={role}")
        assert target.value("select count(*) from t") == 0
    finally:
        target.execute(f"reassign owned by {role} to current_user; drop owned by {role}; drop role {role}")


def test_replay_loads_what_has_become_good(target: Database, queue: Queue, checked: Pipeline) -> None:
    """The transaction that loads a letter deletes it; one that is still bad stays, with its new reason."""
    first = queue.insert("I:id", "id=1&day=2026-12-01&n=500", "public.t")
    queue.insert("I:id", "id=2&day=never&n=1", "public.t")
    queue.insert("I:id", "id=3&day=2026-11-24&n=1&extra=5", "public.t")
    queue.tick()
    checked.drain()
    ids = target.column("select id from tdsup.dead_letter order by ev_id")
    assert len(ids) == 3
    target.execute(
        "alter table t drop constraint t_n_check; alter table t_2026_12_01 drop constraint t_n_check"
    )
    target.execute("alter table t add extra int; drop table t_2026_11_24")
    lines = checked.act("replay")
    assert lines == [
        f"{ids[0]}: loaded",
        f"{ids[1]}: its partition value 'never' is no date in ISO style",
        f"{ids[2]}: loaded",
        "loaded 2 of 3",
        "cannot replay dead letters of job: 1 of 3 stay, for the reasons above",
    ]
    assert target.rows("select tableoid::regclass::text, id, n, extra from t order by id") == [
        ("t_2026_12_01", 1, 500, None),
        ("t_2026_11_24", 3, 1, 5),
    ]
    assert target.column("select id from tdsup.dead_letter") == [ids[1]]
    assert first not in target.column("select ev_id from tdsup.dead_letter")


@pytest.mark.parametrize(
    ("type_", "keys", "reason"),
    [
        ("I:id", {"event_types": "U, D"}, "inserts are ignored now (event_types, row_mode)"),
        ("D:id", {"row_mode": "keep_all"}, "deletes are ignored now (event_types, row_mode)"),
        ("I:id", {"where": "n > 1000"}, "nothing of its row is loaded now (where, fields)"),
        ("pgq.location-info", {}, "it is PgQ's own, and asks for nothing"),
    ],
)
def test_a_letter_that_is_left_out_stays(
    target: Database, queue: Queue, checked: Pipeline, type_: str, keys: dict[str, str], reason: str
) -> None:
    """The settings of now do not load its event: it says why, and is there for other settings."""
    queue.insert("I:id", "id=1&day=2026-11-24&n=500", "public.t")
    queue.tick()
    checked.drain()
    letter = target.value("select id from tdsup.dead_letter")
    target.execute("update tdsup.dead_letter set ev_type = %s, event = null", type_)
    assert checked.act("replay", **keys) == [
        f"{letter}: {reason}",
        "loaded 0 of 1",
        "cannot replay dead letters of job: 1 of 1 stay, for the reasons above",
    ]
    assert target.rows("select reason, sqlstate from tdsup.dead_letter") == [(reason, None)]
    assert target.value("select count(*) from t") == 0


def test_a_letter_that_removes_what_is_not_there_is_gone(
    target: Database, queue: Queue, checked: Pipeline
) -> None:
    """A delete, and an update after which a row does not match: the target is as they want it."""
    queue.send("id=1&day=never&n=5", "id=2&day=never&n=5")
    checked.drain()
    target.execute(
        "update tdsup.dead_letter set event = null, ev_data = replace(ev_data, 'never', '2026-11-24'), "
        "ev_type = case when ev_data like 'id=1%' then 'D:id' else 'U:id' end"
    )
    assert checked.act("replay", where="n > 10", row_mode="plain")[-1] == "loaded 2 of 2"
    assert target.column("select reason from tdsup.dead_letter") == []


def test_two_replays_at_once_load_each_letter_once(target: Database, queue: Queue, checked: Pipeline) -> None:
    """Also while the job itself goes on."""
    for number in range(1, 41):
        queue.insert("I:id", f"id={number}&day=2026-11-24&n=500", "public.t")
    queue.tick()
    checked.drain()
    target.execute(
        "alter table t drop constraint t_n_check; alter table t_2026_11_24 drop constraint t_n_check"
    )
    lines: list[str] = []
    with checked.running() as job:
        replays = [threading.Thread(target=lambda: lines.extend(checked.act("replay"))) for _ in range(2)]
        for replay in replays:
            replay.start()
        queue.send(*map(GOOD.format, range(101, 121)))
        for replay in replays:
            replay.join()
        job.wait_for("running", rows=20)
    assert target.column("select id from t order by id") == [*range(1, 41), *range(101, 121)]
    assert sum(line.endswith(": loaded") for line in lines) == 40
    assert target.value("select count(*) from tdsup.dead_letter") == 0


def test_list_show_and_purge(target: Database, queue: Queue, checked: Pipeline) -> None:
    """What people see of dead letters; ids that do not exist are refused."""
    assert checked.act("list") == ["(no dead letters)"]
    assert checked.act("replay") == ["loaded 0 of 0"]
    assert checked.act("purge", "all") == ["purged 0"]
    event = queue.insert("I:id", "id=1&day=2026-11-24&n=500", "public.t")
    queue.insert("I:id", "id=2&day&n=1", "public.t")
    queue.tick()
    checked.drain()
    one, two = (str(letter) for letter in target.column("select id from tdsup.dead_letter order by ev_id"))
    header, line, _ = checked.act("list")
    assert header.split() == ["ID", "EVENT", "DIED", "TYPE", "TABLE", "SQLSTATE", "REASON"]
    assert line.split()[:2] == [one, str(event)]
    assert "I:id  public.t  23514     new row for relation" in line
    shown = checked.act("show", one)
    assert "ev_data    id=1&day=2026-11-24&n=500" in shown
    assert "ev_extra2  NULL" in shown
    for name in ("show", "replay", "purge"):
        with pytest.raises(SetupError, match=r"of job: there is none with id 999999"):
            checked.act(name, one, "999999") if name != "show" else checked.act(name, "999999")
    for arguments in ((), ("all", one)):
        with pytest.raises(SetupError, match="cannot purge dead letters of job: name their ids, or --all"):
            checked.act("purge", *arguments)
    with pytest.raises(SetupError, match="'x' is no list of ids"):
        checked.act("purge", "x")
    assert checked.act("purge", one) == ["purged 1"]
    assert checked.act("list")[1].split()[0] == two
    assert checked.act("purge", "all") == ["purged 1"]


def test_a_list_is_as_long_as_wanted(target: Database, queue: Queue, checked: Pipeline) -> None:
    """More than a screen are told by what they have in common; programs get an object a line."""
    queue.send(*(f"id={number}&day=2026-11-24&n=500" for number in range(4)), "id=9&day=never&n=1")
    checked.drain()
    ids = target.column("select id from tdsup.dead_letter order by ev_id")
    objects = [json.loads(line) for line in checked.act("list", "json")]
    assert [each["id"] for each in objects] == ids
    assert objects[0]["sqlstate"] == "23514"
    assert len(checked.act("list", "limit=2")) == 3
    assert len(checked.act("list", "screen=5")) == 6
    heading, first, second, more = checked.act("list", "screen=4")
    assert heading.split() == ["COUNT", "FIRST", "LAST", "TABLE", "SQLSTATE", "REASON"]
    assert first.split()[:5] == ["4", str(ids[0]), str(ids[3]), "public.t", "23514"]
    assert (second.split()[0], second.endswith("its partition value … is no date in ISO style")) == (
        "1",
        True,
    )
    assert more == f"list --limit N shows the first N one by one, show {ids[0]} all of one"


def test_letters_of_others_are_not_touched(target: Database, queue: Queue, checked: Pipeline) -> None:
    """Each consumer sees only its own."""
    queue.insert("I:id", "id=2&day&n=1", "public.t")
    queue.tick()
    checked.drain()
    assert checked.act("list", job_name="another") == ["(no dead letters)"]
    assert checked.act("purge", "all", job_name="another") == ["purged 0"]
    assert target.value("select count(*) from tdsup.dead_letter") == 1


def test_a_replay_files_by_the_time_of_the_source(
    source: Database, target: Database, queue: Queue, checked: Pipeline
) -> None:
    """An event's time is in the source's zone, even if the event is a dead letter in the target."""
    for database, zone in ((source, "Pacific/Kiritimati"), (target, "Pacific/Pago_Pago")):
        name = database.value("select current_database()")
        database.execute(f"alter database {name} set TimeZone = '{zone}'")
    queue.insert("I:id", "id=1&n=1")
    queue.insert("I:id", "id=2&n=500")
    queue.tick()
    checked.drain(part_field="_EVTIME")
    target.execute("alter table t drop constraint t_n_check")
    for (partition,) in target.rows("select inhrelid::regclass::text from pg_inherits"):
        target.execute(f"alter table {partition} drop constraint if exists t_n_check")
    assert checked.act("replay", part_field="_EVTIME")[-1] == "loaded 1 of 1"
    first, second = target.column("select tableoid::regclass::text from t order by id")
    assert first == second
