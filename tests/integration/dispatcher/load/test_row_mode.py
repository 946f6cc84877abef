"""What ``row_mode = auto`` chooses, by what, and when it would choose otherwise."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from harness.rows.check import examined
from harness.rows.job import drain
from harness.rows.pipeline import Pipeline, Table
from harness.servers.database import Database
from harness.servers.queue import Queue
from tdsup.dispatcher.errors import SetupError

Keys = dict[str, Any]

KEYLESS = "id int, day date, note text"
KEYED = f"{KEYLESS}, primary key (id)"

TEMPLATE = "create table _DEST_TABLE ({}) inherits (t)"
APART = f"create table _DEST_TABLE ({KEYED})"
BY_DAY: Keys = {"part_field": "day"}

CHANGE = "update t set note = 'new' where id = 1; delete from t where id = 2"

LOG: list[tuple[int | None, str]] = [(1, "new"), (1, "note 1"), (2, "note 2"), (2, "note 2")]
"""What a log of changes has of two inserts and `CHANGE`: each event."""

MIRROR: list[tuple[int | None, str]] = [(1, "new")]
"""What the source has then."""

CHOICES: dict[str, tuple[str, Keys, list[tuple[int | None, str]]]] = {
    "no index": (KEYLESS, {}, LOG),
    "a primary key": (KEYED, {}, MIRROR),
    "a unique index on the key": (f"{KEYLESS}, unique (id)", {}, MIRROR),
    "a key of the log's own": (f"{KEYLESS}, change serial primary key", {}, LOG),
    "a unique index on more than the key": (f"{KEYLESS}, change serial, unique (id, change)", {}, LOG),
    "the key is not loaded": (
        f"{KEYLESS}, row int generated always as identity primary key",
        {"fields": "note, day"},
        [(None, note) for _, note in LOG],
    ),
    "the key has another name": (
        "number int primary key, day date, note text",
        {"fields": "id:number, day, note"},
        MIRROR,
    ),
    "partitions without index": (KEYLESS, {**BY_DAY, "part_template": TEMPLATE.format("")}, LOG),
    "partitions with a key": (
        KEYLESS,
        {**BY_DAY, "part_template": TEMPLATE.format("primary key (id)")},
        MIRROR,
    ),
    "partitions with the event's key": (
        KEYLESS,
        {**BY_DAY, "part_template": TEMPLATE.format("primary key (_PKEY)")},
        MIRROR,
    ),
    "partitions like a parent without index": (KEYLESS, BY_DAY, LOG),
    "partitions like a parent with a key": (KEYED, BY_DAY, MIRROR),
    "native partitions without index": ("native", BY_DAY, LOG),
    "native partitions with a key": ("native keyed", BY_DAY, MIRROR),
    "native partitions by the key alone": ("native by key", {}, MIRROR),
}
"""Columns of the target, keys of the job, what the target has in the end."""

NATIVE = {
    "native": f"create table t ({KEYLESS}) partition by range (day)",
    "native by key": f"create table t ({KEYED}) partition by hash (id); "
    "create table part partition of t for values with (modulus 1, remainder 0)",
    "native keyed": f"create table t ({KEYLESS}, primary key (id, day)) partition by range (day)",
}


def pipeline_of(queue: Queue, target: Database, parent: str, keys: Keys) -> Pipeline:
    """A pipeline whose consumer is registered and which has loaded two rows."""
    if native := NATIVE.get(parent):
        target.execute(native)
    pipeline = Pipeline(queue, target, Table(parent="" if native else parent), **keys)
    pipeline.drain()
    pipeline.insert(2)
    pipeline.drain()
    return pipeline


def change(pipeline: Pipeline, statement: str = CHANGE) -> None:
    """Change the source's rows."""
    pipeline.source.execute(statement)
    pipeline.queue.tick()


def rows(target: Database, key: str = "id") -> list[tuple[object, ...]]:
    """What the target has."""
    return target.rows(f"select {key}, note from t order by id, note")


@pytest.mark.parametrize(("parent", "keys", "wanted"), CHOICES.values(), ids=CHOICES)
def test_changes_of_a_keyless_target_are_added_and_others_applied(
    queue: Queue, target: Database, parent: str, keys: Keys, wanted: list[tuple[int | None, str]]
) -> None:
    """An old fleet's log of changes keeps every row that it has; a table with the source's key mirrors it."""
    pipeline = pipeline_of(queue, target, parent, keys)
    change(pipeline)
    values = pipeline.drain()
    names = target.column("select attname from pg_attribute where attrelid = 't'::regclass and attnum = 1")
    found = target.rows(f"select {names[0]}, note from t order by {names[0]}, note")
    assert found == wanted
    assert (values["rows"], values["dead_letters"], values["ignored"]) == (2, 0, 0)


@pytest.mark.parametrize(("parent", "left"), [(KEYLESS, 2), (KEYED, 0), (f"{KEYLESS}, n serial unique", 2)])
def test_a_truncate_empties_no_log(queue: Queue, target: Database, parent: str, left: int) -> None:
    """It is ignored where changes are added as rows."""
    pipeline = pipeline_of(queue, target, parent, {})
    pipeline.queue.attach_truncate("t", "logutriga")
    change(pipeline, "truncate t")
    values = pipeline.drain()
    assert target.value("select count(*) from t") == left
    assert values["dead_letters"] == 0


def test_a_truncate_of_a_table_without_a_key(queue: Queue, target: Database) -> None:
    """Nothing tells whether a target with a key of its own mirrors it: rows stay, and a person is told."""
    pipeline = pipeline_of(queue, target, f"{KEYLESS}, n serial unique", {})
    pipeline.source.execute("alter table t drop constraint t_pkey")
    pipeline.queue.attach_truncate("t", "logutriga")
    change(pipeline, "truncate t")
    assert pipeline.drain()["dead_letters"] == 1
    assert target.value("select count(*) from t") == 2
    assert "nothing tells whether rows are to be kept (row_mode)" in target.value(
        "select reason from tdsup.dead_letter"
    )


@pytest.mark.usefixtures("without_pgqd")
@pytest.mark.parametrize(
    ("parent", "statement", "chose", "now"),
    [
        (KEYLESS, "alter table t add unique (id)", "append", "plain"),
        (KEYED, "alter table t drop constraint t_pkey", "plain", "append"),
    ],
)
def test_an_index_that_comes_or_goes_blocks_the_job(
    queue: Queue, target: Database, parent: str, statement: str, chose: str, now: str
) -> None:
    """Nothing is loaded until somebody says what is meant; then it goes on as that says."""
    pipeline = pipeline_of(queue, target, parent, {})
    target.execute(statement)
    before = rows(target)
    change(pipeline, f"insert into t values (3); {CHANGE}")
    with pytest.raises(
        SetupError, match=f"row_mode = auto chose {chose} and would choose {now} now"
    ) as raised:
        pipeline.drain()
    assert f"set row_mode = {chose} to go on as before, or row_mode = {now}" in str(raised.value)
    assert rows(target) == before
    pipeline.drain(row_mode=chose)
    pipeline.drain(row_mode="auto")


def test_inserts_do_not_ask(queue: Queue, target: Database) -> None:
    """They are the same in every mode: an index more does not stop them."""
    pipeline = pipeline_of(queue, target, KEYLESS, {})
    target.execute("alter table t add unique (id)")
    pipeline.insert(1)
    pipeline.drain()
    assert target.value("select count(*) from t") == 3


def test_a_template_that_gets_a_key_blocks_the_job(queue: Queue, target: Database) -> None:
    """A changed file would rewrite what an older one added."""
    pipeline = pipeline_of(queue, target, KEYLESS, {**BY_DAY, "part_template": TEMPLATE.format("")})
    change(pipeline)
    with pytest.raises(SetupError, match=r"plain now: a table made by part_template has a unique"):
        pipeline.drain(part_template=TEMPLATE.format("primary key (id)"))
    pipeline.drain(part_template=TEMPLATE.format("check (id > 0)"))
    assert rows(target) == LOG


def test_partitions_made_by_hand_count(queue: Queue, target: Database) -> None:
    """If they and the template do not agree, nobody guesses."""
    target.execute(f"create table t_2026_11_05 ({KEYLESS})")
    pipeline = pipeline_of(queue, target, "", {**BY_DAY, "part_template": APART})
    change(pipeline)
    with pytest.raises(SetupError, match=r"public\.t_2026_11_05 has no unique index on the key id"):
        pipeline.drain()


def test_the_choice_is_told_once(queue: Queue, target: Database, caplog: pytest.LogCaptureFixture) -> None:
    """In the log, when the first change comes."""
    pipeline = pipeline_of(queue, target, KEYLESS, {})
    with caplog.at_level(logging.INFO):
        change(pipeline)
        change(pipeline, "insert into t values (7); update t set note = ''")
        pipeline.drain()
    (told,) = (record.message for record in caplog.records if "row_mode" in record.message)
    assert told == (
        "job: row_mode = auto chose append: public.t has no unique index on the key id, so updates and "
        "deletes are added to it as rows"
    )


@pytest.mark.parametrize("parent", [KEYLESS, KEYED])
def test_the_check_tells_the_choice(queue: Queue, target: Database, parent: str) -> None:
    """Before the first start, and after an index has come or gone."""
    pipeline = Pipeline(queue, target, Table(parent=parent))
    chosen = "append" if parent == KEYLESS else "plain"
    facts, faults = examined(pipeline.keys())
    assert faults == []
    assert any(f"row_mode = auto chose {chosen}: public.t has " in fact for fact in facts)
    pipeline.drain()
    pipeline.insert(1)
    pipeline.drain()
    target.execute(
        "alter table t add unique (id)" if parent == KEYLESS else "alter table t drop constraint t_pkey"
    )
    _facts, faults = examined(pipeline.keys())
    assert "the first update or delete blocks the job: row_mode = auto chose" in faults[0]


def test_a_dead_letter_is_replayed_by_the_same_choice(queue: Queue, target: Database) -> None:
    """An update that was refused becomes a row too."""
    pipeline = pipeline_of(queue, target, f"{KEYLESS}, check (note <> 'bad')", {})
    change(pipeline, "update t set note = 'bad' where id = 1")
    assert pipeline.drain()["dead_letters"] == 1
    target.execute("alter table t drop constraint t_note_check")
    assert pipeline.act("replay")[-1] == "loaded 1 of 1"
    assert rows(target) == [(1, "bad"), (1, "note 1"), (2, "note 2")]


@pytest.mark.parametrize("type_", ["U", "D", "D:id", "U:id", "U:", "D:", "I:id", "moved"])
def test_a_producer_s_own_types(queue: Queue, target: Database, type_: str) -> None:
    """On a keyless target each of them is a row, as with the original."""
    pipeline = pipeline_of(queue, target, KEYLESS, {})
    queue.send("id=9&day=2026-11-01&note=own", type_=type_)
    drain(**pipeline.keys(loop_delay=0))
    assert rows(target)[-1] == (9, "own")
