"""Changes of real triggers, in every format, leave the target as the source is."""

from __future__ import annotations

import pytest
from harness.rows.job import drain
from harness.servers.database import Database
from harness.servers.queue import Queue

COLUMNS = "(id int, k2 text, day date, txt text, n numeric, primary key (id, k2))"

TRIGGERS = ["logutriga", "jsontriga", "sqltriga"]

TEMPLATE = "create table _DEST_TABLE (like t including defaults, primary key (id, k2)) inherits (t)"


class Mirror:
    """A table in the source whose changes a job brings to the target.

    Args:
        source: database of the queue.
        target: database of the partitions.
        trigger: which of PgQ's triggers writes the events.
        arguments: of the trigger, behind the queue's name.
    """

    def __init__(self, source: Database, target: Database, trigger: str, *arguments: str) -> None:
        self.source = source
        self.target = target
        self.queue = Queue(source, "q")
        self.queue.create()
        source.execute(f"create table t {COLUMNS}")
        target.execute("create table t (id int, k2 text, day date, txt text, n numeric)")
        given = ", ".join(f"'{argument}'" for argument in ("q", *arguments))
        source.execute(
            "create trigger changes after insert or update or delete on t "
            f"for each row execute function pgq.{trigger}({given})"
        )
        if not arguments:
            source.execute(
                "create trigger truncates after truncate on t "
                f"for each statement execute function pgq.{trigger}({given})"
            )

    def drain(self, **changes: object) -> dict[str, float]:
        """Make a tick and run the job until its queue is empty; returns its last numbers."""
        self.queue.tick()
        keys = {
            "src_db": self.source.dsn,
            "dst_db": self.target.dsn,
            "pgq_queue_name": "q",
            "dest_table": "t",
            "part_field": "day",
            "part_template": TEMPLATE,
        }
        return dict(drain(**{**keys, **changes}))

    def rows(self) -> list[tuple[object, ...]]:
        """What the target has, with the partition of each row."""
        return self.target.rows("select tableoid::regclass::text, t.* from t order by id, k2")

    def agree(self) -> bool:
        """Whether the target's rows are the source's, each in the partition of its day."""
        wanted = self.source.rows("select 't_' || to_char(day, 'YYYY_MM_DD'), t.* from t order by id, k2")
        return self.rows() == wanted


@pytest.fixture(params=TRIGGERS)
def mirror(source: Database, target: Database, request: pytest.FixtureRequest) -> Mirror:
    """A mirror for each of the triggers, registered and empty; old rows come along with updates."""
    made = Mirror(source, target, request.param, "backup")
    made.drain()
    return made


def test_changes_of_one_batch_are_applied_in_order(mirror: Mirror) -> None:
    """Inserts, updates and deletes of the same rows in one batch end as in the source."""
    mirror.source.execute(r"""
        insert into t
            select g, 'a''b\c', date '2026-11-01' + g % 3, 'first', 1.50 from generate_series(1, 30) g;
        update t set txt = 'it''s \N' || chr(10) || chr(9) || '€', n = null where id % 2 = 0;
        update t set txt = 'again' where id % 4 = 0;
        delete from t where id % 5 = 0;
        insert into t select g, 'a''b\c', '2026-11-05', 'back', 2 from generate_series(5, 30, 5) g;
        update t set n = n + 1 where id % 3 = 0;
        delete from t where id = 30;
    """)
    values = mirror.drain()
    assert mirror.agree()
    assert (values["dead_letters"], values["ignored"]) == (0, 0)
    assert values["rows"] == values["events"] == 30 + 15 + 7 + 6 + 6 + 10 + 1


def test_changes_of_later_batches_find_their_rows(mirror: Mirror) -> None:
    """Also those whose partition is another one now: a row moves with its date."""
    mirror.source.execute(
        "insert into t select g, '', date '2026-11-01' + g % 3, 'first', 1 from generate_series(1, 30) g"
    )
    mirror.drain()
    mirror.source.execute("""
        update t set day = day + 1, txt = 'moved' where id <= 10;
        update t set txt = 'stayed' where id > 20;
        delete from t where id in (1, 15, 25);
    """)
    values = mirror.drain()
    assert mirror.agree()
    assert values["rows"] == 10 + 10 + 3


def test_a_hot_row_takes_its_last_state(mirror: Mirror) -> None:
    """However often a batch changes it."""
    mirror.source.execute("insert into t values (1, 'x', '2026-11-01', 'first', 0)")
    mirror.drain()
    for _ in range(20):
        mirror.source.execute("update t set n = n + 1")
    values = mirror.drain()
    assert mirror.agree()
    assert values["rows"] == 20


def test_a_change_of_a_row_that_is_not_there(mirror: Mirror) -> None:
    """A whole row is added, a delete has nothing to do."""
    mirror.source.execute("insert into t select g, '', '2026-11-01', 'x', 1 from generate_series(1, 3) g")
    mirror.drain()
    mirror.target.execute("delete from t where id in (1, 2)")
    mirror.source.execute("update t set txt = 'new' where id = 1; delete from t where id = 2")
    values = mirror.drain()
    assert mirror.agree()
    assert (values["rows"], values["ignored"], values["dead_letters"]) == (1, 1, 0)


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_without_old_rows(source: Database, target: Database, trigger: str) -> None:
    """Updates and deletes are applied as far as their text allows; what does not go is a dead letter."""
    mirror = Mirror(source, target, trigger)
    mirror.drain()
    source.execute("insert into t select g, '', '2026-11-01', 'x', 1 from generate_series(1, 9) g")
    mirror.drain()
    source.execute("""
        update t set txt = 'new' where id < 3;
        delete from t where id in (4, 5);
        insert into t values (5, '', '2026-11-02', 'again', 7);
    """)
    mirror.drain()
    assert mirror.agree()
    source.execute("update t set day = '2026-11-03' where id = 1")
    values = mirror.drain()
    if trigger == "sqltriga":
        assert values["dead_letters"] == 1
        reason = target.value("select reason from tdsup.dead_letter")
        assert reason.startswith("it changes day, which names the partition, and does not hold the whole row")
    else:
        assert mirror.agree()


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_a_truncate_empties_the_target(source: Database, target: Database, trigger: str) -> None:
    """What came before it goes, also in the same batch; what comes after it stays."""
    mirror = Mirror(source, target, trigger)
    mirror.drain()
    source.execute("insert into t values (1, '', '2026-11-01', 'x', 1)")
    mirror.drain()
    source.execute("insert into t values (2, '', '2026-11-01', 'x', 1)")
    source.execute("truncate t")
    source.execute("insert into t values (3, '', '2026-11-02', 'x', 1)")
    mirror.drain()
    assert mirror.agree()
    assert len(mirror.rows()) == 1


@pytest.mark.parametrize(
    ("parent", "template"),
    [
        ("create table t (id int, k2 text, day date, txt text, n numeric) partition by range (day)", ""),
        ("create table t (id int, k2 text, day date, txt text, n numeric)", ""),
        ("", f"create table _DEST_TABLE {COLUMNS}"),
        (
            "create table t (id int, k2 text, day date, txt text, n numeric)",
            "create table _DEST_TABLE (like t, primary key (id, k2))",
        ),
    ],
    ids=["native", "inherited", "no parent", "parent apart"],
)
def test_rows_are_found_however_partitions_are_made(
    source: Database, target: Database, parent: str, template: str
) -> None:
    """Rows move between partitions that hang together, and between those that stand alone."""
    mirror = Mirror(source, target, "logutriga")
    target.execute("drop table t;" + parent)
    mirror.drain(part_template=template)
    source.execute("insert into t select g, '', date '2026-11-01' + g, 'x', 1 from generate_series(1, 3) g")
    mirror.drain(part_template=template)
    source.execute("update t set day = '2026-11-09' where id < 3; delete from t where id = 3")
    mirror.drain(part_template=template)
    found = target.column("select id from t_2026_11_09 order by id")
    assert found == [1, 2]
    assert [target.value(f"select count(*) from t_2026_11_0{day}") for day in (2, 3, 4)] == [0, 0, 0]
    source.execute("truncate t")
    mirror.queue.insert("R", "", "public.t")
    mirror.drain(part_template=template)
    assert target.value("select count(*) from t_2026_11_09") == 0


def test_columns_that_only_the_target_has_survive_an_update(source: Database, target: Database) -> None:
    """An update changes the columns of the event, and no other."""
    mirror = Mirror(source, target, "logutriga")
    target.execute("alter table t add loaded timestamptz default now()")
    mirror.drain()
    source.execute("insert into t values (1, '', '2026-11-01', 'x', 1)")
    mirror.drain()
    loaded = target.value("select loaded from t")
    source.execute("update t set txt = 'y'")
    mirror.drain()
    assert target.rows("select txt, loaded from t") == [("y", loaded)]


def test_keep_all_makes_every_state_a_row(source: Database, target: Database) -> None:
    """A change log: each insert and update is a row, deletes and truncates leave it alone."""
    mirror = Mirror(source, target, "logutriga")
    keys = {"row_mode": "keep_all", "part_template": "create table _DEST_TABLE () inherits (t)"}
    mirror.drain(**keys)
    source.execute(
        "insert into t values (1, '', '2026-11-01', 'x', 1); update t set txt = 'y'; delete from t"
    )
    values = mirror.drain(**keys)
    assert target.column("select txt from t order by txt") == ["x", "y"]
    assert (values["events"], values["rows"], values["ignored"]) == (3, 2, 1)


def test_event_types_choose(source: Database, target: Database) -> None:
    """An archive can take updates and keep what the source deletes."""
    mirror = Mirror(source, target, "logutriga")
    mirror.drain(event_types="I, U")
    source.execute(
        "insert into t values (1, '', '2026-11-01', 'x', 1); update t set txt = 'y'; delete from t"
    )
    source.execute("truncate t")
    values = mirror.drain(event_types="I, U")
    assert target.column("select txt from t") == ["y"]
    assert (values["events"], values["rows"], values["ignored"]) == (4, 2, 2)


def test_a_bad_change_does_not_take_a_good_one_along(source: Database, target: Database) -> None:
    """Only the last state of a row needs to fit; if it does not, the last one that does stays."""
    mirror = Mirror(source, target, "logutriga")
    target.execute("alter table t add check (n < 10)")
    mirror.drain()
    source.execute("insert into t values (1, '', '2026-11-01', 'first', 1)")
    source.execute("update t set n = 50; update t set n = 5")
    values = mirror.drain()
    assert mirror.agree()
    assert (values["events"], values["rows"], values["dead_letters"]) == (3, 3, 0)
    source.execute("update t set n = 6; update t set txt = 'good'; update t set n = 60; update t set n = 70")
    values = mirror.drain()
    assert (values["events"], values["rows"], values["dead_letters"]) == (4, 2, 2)
    assert target.rows("select n, txt from t") == [(6, "good")]


def test_identity_columns_take_the_source_s_values(source: Database, target: Database) -> None:
    """Also where the target would always generate them; a generated column computes its own."""
    mirror = Mirror(source, target, "sqltriga", "backup")
    mirror.drain()
    target.execute(
        "drop table t; create table t (id int generated always as identity, k2 text, day date, txt text, "
        "n numeric generated always as (1) stored, primary key (id, k2))"
    )
    changes = {"part_template": "", "on_new_column": "ignore"}
    source.execute("insert into t select g, '', '2026-11-01', 'x', 1 from generate_series(1, 3) g")
    mirror.drain(**changes)
    source.execute("update t set txt = 'y' where id = 1; update t set day = '2026-11-02' where id = 2")
    source.execute("delete from t where id = 3; insert into t values (9, '', '2026-11-01', 'z', 1)")
    mirror.drain(**changes)
    assert mirror.agree()


def test_a_touch_without_a_change_is_ignored(source: Database, target: Database) -> None:
    """An update by sqltriga that names its key only asks for nothing."""
    mirror = Mirror(source, target, "sqltriga")
    mirror.drain()
    source.execute("insert into t values (1, '', '2026-11-01', 'x', 1)")
    source.execute("update t set txt = txt")
    values = mirror.drain()
    assert mirror.agree()
    assert values["events"] == values["rows"] + values["ignored"]


def test_a_key_can_change_where_the_event_tells_the_old_one(source: Database, target: Database) -> None:
    """PgQ's triggers refuse such an update, a producer of its own may send it."""
    mirror = Mirror(source, target, "logutriga")
    mirror.drain()
    source.execute("insert into t values (1, '', '2026-11-01', 'x', 1)")
    source.execute(
        "select pgq.insert_event('q', 'U:id,k2', 'id=5&k2=&day=2026-11-03&txt=y&n=1', 'public.t', "
        "'id=1&k2=&day=2026-11-01&txt=x&n=1', null, null)"
    )
    mirror.drain()
    assert target.rows("select id, txt from t") == [(5, "y")]
    source.execute(
        "select pgq.insert_event('q', 'D:id,k2', 'id=5&k2=&day=2026-11-03', 'public.t', null, null, null)"
    )
    mirror.drain()
    assert target.rows("select id, txt from t") == []


def test_keys_that_are_written_in_several_ways(source: Database, target: Database) -> None:
    """A time in another zone and a fraction with another zero are the same key: the order is kept."""
    queue = Queue(source, "q")
    queue.create()
    ddl = "create table t (at timestamptz, n numeric, txt text, primary key (at, n))"
    for database in (source, target):
        database.execute(ddl)
    keys = {"src_db": source.dsn, "dst_db": target.dsn, "pgq_queue_name": "q", "dest_table": "t"}
    drain(**keys)
    for type_, row in (
        ("I", "at=2026-11-24 12:00:00%2b00&n=1&txt=first"),
        ("U", "at=2026-11-24 13:00:00%2b01&n=1.0&txt=second"),
        ("I", "at=2026-11-25 12:00:00%2b00&n=1&txt=gone"),
        ("D", "at=2026-11-25 13:00:00%2b01&n=1.00&txt=gone"),
    ):
        queue.insert(f"{type_}:at,n", row, "public.t")
    queue.tick()
    drain(**keys)
    assert target.column("select txt from t") == ["second"]


def test_a_truncate_spares_what_is_not_its_own(source: Database, target: Database) -> None:
    """Rows of other tables that feed the queue, also for a job that has just begun; tables of other names."""
    mirror = Mirror(source, target, "logutriga")
    mirror.drain()
    source.execute("insert into t values (1, '', '2026-11-01', 'x', 1)")
    mirror.drain()
    target.execute("create table t_2025_01 (id int); insert into t_2025_01 values (1)")
    source.execute("truncate t")
    mirror.drain()
    assert mirror.agree()
    assert target.value("select count(*) from t_2025_01") == 1
    source.execute("create table u (id int primary key, k2 text, day date)")
    mirror.queue.attach("u")
    source.execute("insert into u values (7, '', '2026-11-01')")
    mirror.drain()
    source.execute("truncate t")
    assert mirror.drain()["dead_letters"] == 1
    assert target.column("select id from t") == [7]
    source.execute("truncate t")
    assert mirror.drain(table_filter="t")["dead_letters"] == 0


def test_a_table_that_is_all_key(source: Database, target: Database) -> None:
    """An update of it has nothing to change, or brings back the row."""
    queue = Queue(source, "q")
    queue.create()
    target.execute("create table t (id int primary key); insert into t values (1)")
    keys = {"src_db": source.dsn, "dst_db": target.dsn, "pgq_queue_name": "q", "dest_table": "t"}
    drain(**keys)
    for number in (1, 2):
        queue.insert("U:id", f"id={number}", "public.t")
    queue.tick()
    assert drain(**keys)["rows"] == 2
    assert target.column("select id from t order by id") == [1, 2]


def test_a_producer_s_own_type_r_is_a_row(source: Database, target: Database) -> None:
    """Only a truncate of PgQ's triggers, which has no data, empties the table."""
    queue = Queue(source, "q")
    queue.create()
    target.execute("create table t (id int primary key); insert into t values (1)")
    keys = {"src_db": source.dsn, "dst_db": target.dsn, "pgq_queue_name": "q", "dest_table": "t"}
    drain(**keys)
    queue.insert("R", "id=2")
    queue.tick()
    drain(**keys)
    assert target.column("select id from t order by id") == [1, 2]


def test_rows_that_refer_to_each_other_change_as_in_the_source(source: Database, target: Database) -> None:
    """A key of the table on itself does not make good changes dead letters."""
    queue = Queue(source, "q")
    queue.create()
    for database in (source, target):
        database.execute("create table t (id int primary key, up int references t)")
    queue.attach("t")
    keys = {"src_db": source.dsn, "dst_db": target.dsn, "pgq_queue_name": "q", "dest_table": "t"}
    drain(**keys)
    source.execute("insert into t values (1, null), (2, 1), (3, null)")
    queue.tick()
    drain(**keys)
    source.execute("update t set up = null where id = 2; delete from t where id = 1")
    source.execute("insert into t values (4, null); update t set up = 4 where id = 3")
    queue.tick()
    assert drain(**keys)["dead_letters"] == 0
    assert target.rows("select * from t order by id") == source.rows("select * from t order by id")


def test_one_row_that_comes_and_goes(source: Database, target: Database) -> None:
    """However often in one batch, the server's table of locks suffices."""
    queue = Queue(source, "q")
    queue.create()
    target.execute("create table t (id int primary key, txt text)")
    keys = {"src_db": source.dsn, "dst_db": target.dsn, "pgq_queue_name": "q", "dest_table": "t"}
    drain(**keys)
    locks = target.value(
        "select current_setting('max_locks_per_transaction')::int * current_setting('max_connections')::int"
    )
    source.execute(
        "select pgq.insert_event('q', case g %% 2 when 0 then 'I:id' else 'D:id' end, "
        "'id=1&txt=a', 'public.t', null, null, null) from generate_series(0, %s) g",
        locks,
    )
    queue.tick()
    values = drain(**keys)
    assert (values["rows"], values["dead_letters"]) == (locks + 1, 0)
    assert target.column("select id from t") == [1]
