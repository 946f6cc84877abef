"""Text of any kind is a value or a name, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import skytools
from harness.paths import PGQ_EXT
from harness.rows.job import act, drain, job_keys
from harness.servers.database import Database
from harness.servers.queue import Queue
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tdsup.dispatcher.errors import LostPosition

TEXT = st.none() | st.text(st.characters(codec="utf-8", exclude_characters="\0"))

EXAMPLES = 400
"""Rows that hypothesis makes up; all go through one queue in one batch."""

INJECTIONS = (
    "'; drop table victim; --",
    '"); drop table victim; --',
    '"; drop table victim; --',
    "\\'; drop table victim; --",
    "$$; drop table victim; --",
    "\n\\.\ndrop table victim;\n",
    "\\N\t1\n",
    "*/ drop table victim; /*",
    "%(queue)s %s {} {0}",
)
"""Text that ends the context it may be in, and continues in SQL or COPY."""


@pytest.fixture
def victims(source: Database, target: Database) -> Iterator[None]:
    """A table in both databases that must be unchanged at the end."""
    for database in (source, target):
        database.execute("create table victim (id int); insert into victim values (42)")
    yield
    for database in (source, target):
        assert database.column("select id from victim") == [42]


def made_up() -> list[tuple[str | None, str | None]]:
    """Pairs of texts of every kind that hypothesis thinks of."""
    pairs: list[tuple[str | None, str | None]] = []

    @settings(max_examples=EXAMPLES, database=None, suppress_health_check=list(HealthCheck))
    @given(TEXT, TEXT)
    def collect(first: str | None, second: str | None) -> None:
        pairs.append((first, second))

    collect()
    return pairs


def test_any_text_round_trips(source: Database, target: Database, queue: Queue) -> None:
    """Any text, whether the server's trigger or the original's library encodes it, arrives as it was."""
    source.execute("create table texts (id int primary key, a text, b text)")
    target.execute("create table texts (id int, a text, b text)")
    queue.attach("texts")
    keys = job_keys(source, target, table="texts")
    drain(**keys)
    pairs = made_up()
    sent = [(number, *pair) for number, pair in enumerate(pairs)]
    source.execute("begin")
    for row in sent:
        source.execute("insert into texts values (%s, %s, %s)", *row)
    by_library = [(number + len(sent), *pair) for number, pair in enumerate(pairs)]
    for row in by_library:
        queue.insert("text", skytools.db_urlencode(dict(zip("id a b".split(), row, strict=True))))
    source.execute("commit")
    queue.tick()
    assert drain(**keys)["rows"] == 2 * len(pairs) >= EXAMPLES
    assert target.rows("select * from texts order by id") == sent + by_library


@pytest.mark.usefixtures("victims")
def test_values_and_column_names_are_no_sql(source: Database, target: Database, queue: Queue) -> None:
    """SQL and COPY's markers in values and column names change nothing but their row."""
    columns = ", ".join(f"{skytools.quote_ident(name)} text" for name in INJECTIONS)
    for database in (source, target):
        database.execute(f"create table texts (id int primary key, {columns})")
    queue.attach("texts")
    keys = job_keys(source, target, table="texts")
    drain(**keys)
    row = (1, *reversed(INJECTIONS))
    source.execute(f"insert into texts values ({', '.join(['%s'] * len(row))})", *row)
    queue.tick()
    drain(**keys)
    assert target.rows("select * from texts") == [row]


@pytest.mark.usefixtures("victims")
@pytest.mark.parametrize("text", [text.strip() for text in INJECTIONS])
def test_names_in_a_jobs_file_are_no_sql(source: Database, target: Database, text: str) -> None:
    """As queue, consumer, job, table, source table and column, SQL is a name that loads like any other."""
    queue = Queue(source, text)
    queue.create()
    quoted = '"' + text.replace('"', '""') + '"'
    column = text.replace(",", "").replace(":", "")
    for database in (source, target):
        database.execute(f"create table {quoted} (id int primary key, {skytools.quote_ident(column)} date)")
    literal = "'" + text.replace("'", "''") + "'"
    source.execute(
        f"create trigger feed after insert on {quoted} for each row execute function pgq.logutriga({literal})"
    )
    keys = job_keys(
        source,
        target,
        queue=text,
        table=quoted,
        job_name=text,
        pgq_consumer_id=text,
        table_filter=f"public.{text}",
        part_field=column,
        fields=f"id, {column}",
        part_template="create table _DEST_TABLE (primary key (id)) inherits (_PARENT)",
    )
    drain(**keys)
    source.execute(f"insert into {quoted} values (1, '2026-11-24')")
    queue.tick()
    assert drain(**keys)["rows"] == 1
    assert target.column(f"select id from {quoted}") == [1]
    table = skytools.quote_ident(f"{text}_2026_11_24")
    assert target.column(f"select id from only {table}") == [1]


@pytest.mark.usefixtures("victims")
@pytest.mark.parametrize("text", INJECTIONS)
def test_a_partition_value_is_no_sql(source: Database, target: Database, queue: Queue, text: str) -> None:
    """A partition value that holds SQL, with or without a date before it, is refused and makes no table."""
    target.execute("create table texts (id int, part text)")
    keys = job_keys(source, target, table="texts", part_field="part")
    drain(**keys)
    queue.insert("text", skytools.db_urlencode({"id": 1, "part": f"2026-11-24{text}"}))
    queue.tick()
    assert drain(**keys)["dead_letters"] == 1
    assert target.value("select reason from tdsup.dead_letter").startswith("its partition value")
    assert target.column("select tablename from pg_tables where tablename like 'texts%'") == ["texts"]


@pytest.mark.usefixtures("victims")
@pytest.mark.parametrize("place", ["own", "pgq_ext"])
@pytest.mark.parametrize("text", INJECTIONS)
def test_a_lost_position_is_mended_whatever_its_consumer_is_called(
    source: Database, target: Database, queue: Queue, text: str, place: str
) -> None:
    """A reset does so and nothing else."""
    if place == "pgq_ext":
        target.execute(PGQ_EXT.read_text())
    target.execute("create table texts (id int)")
    keys = job_keys(source, target, table="texts", pgq_consumer_id=text)
    drain(**keys)
    for number in (1, 2):
        queue.insert("text", f"id={number}")
        queue.tick()
        if number == 1:
            drain(**keys)
    schema = "tdsup" if place == "own" else "pgq_ext"
    target.execute(f"update {schema}.completed_tick set last_tick_id = 999")
    with pytest.raises(LostPosition):
        drain(**keys)
    act("reset", keys)
    drain(**keys)
    assert target.column("select id from texts order by id") == [1, 2]
