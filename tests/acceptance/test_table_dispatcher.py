"""``table_dispatcher INI``: one job as a program."""

from __future__ import annotations

import re
import signal
import subprocess
from datetime import date
from pathlib import Path

import pytest
from harness.paths import TABLE_DISPATCHER
from harness.rows.oracle import Oracle
from harness.servers.database import Database
from harness.servers.queue import Queue
from harness.waiting import wait_until

MAN_PAGE_EXAMPLE = Path(__file__).with_name("man_page_example.ini")
"""The example from the original's man page, unchanged."""


@pytest.fixture
def queue(source: Database) -> Queue:
    """The queue of the man page, fed by a table of orders."""
    queue = Queue(source, "sourceq")
    queue.create()
    source.execute(
        "create table orders (id int primary key, order_date date, customer_name text, secret text)"
    )
    queue.attach("orders")
    return queue


def example(directory: Path, source: Database, target: Database, *lines: str) -> Path:
    """The man page's file with our connection strings and more lines."""
    text = MAN_PAGE_EXAMPLE.read_text()
    text = re.sub(r"(?m)^src_db .*", lambda _: f"src_db = {source.dsn}", text)
    text = re.sub(r"(?m)^dst_db .*", lambda _: f"dst_db = {target.dsn}", text)
    path = directory / "orders.ini"
    path.write_text(text + "\n".join(["", *lines, ""]))
    (directory / "log").mkdir()
    return path


def run(directory: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the program to its end."""
    return subprocess.run(
        [TABLE_DISPATCHER, *arguments], cwd=directory, capture_output=True, text=True, check=False, timeout=60
    )


def test_the_man_pages_example_runs(
    tmp_path: Path, source: Database, target: Database, queue: Queue, request: pytest.FixtureRequest
) -> None:
    """Unchanged but for its connection strings, it registers, creates orders_YYYY_MM_DD and loads."""
    target.execute("create table orders (id int, order_date date, customer_name text)")
    target.execute("do $$ begin create role reporting; exception when duplicate_object then end $$")
    path = example(tmp_path, source, target)
    consumer = "table_dispatcher_source_table_targetdb"
    with subprocess.Popen(
        [TABLE_DISPATCHER, path], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            source.wait_for("select exists (select from pgq.get_consumer_info('sourceq', %s))", consumer)
            source.execute(
                "insert into orders values (1, current_date, 'Ada', 'x'), (2, current_date, null, 'x')"
            )
            queue.tick()
            target.wait_for("select count(*) = 2 from orders")
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == 0
        finally:
            process.kill()
    table = f"orders_{date.today():%Y_%m_%d}"
    assert target.rows(f"select id, customer_name from {table} order by 1") == [(1, "Ada"), (2, None)]
    assert target.value(f"select has_table_privilege('reporting', '{table}', 'select')")
    assert target.column(f"select conname from pg_constraint where conrelid = '{table}'::regclass") == [
        f"{table}_pkey"
    ]
    assert Oracle(source, target, "orders", queue="sourceq", consumer=consumer).check().clean
    assert f"Created table public.{table}" in (tmp_path / "log" / f"{consumer}.log").read_text()


def test_loop_delay_0_drains_and_ends(
    tmp_path: Path, source: Database, target: Database, queue: Queue
) -> None:
    """With loop_delay = 0 it loads what is there and exits 0; the first run registers, the second loads."""
    target.execute("create table orders (id int, order_date date, customer_name text)")
    target.execute("do $$ begin create role reporting; exception when duplicate_object then end $$")
    path = example(tmp_path, source, target, "loop_delay = 0")
    first = run(tmp_path, path)
    assert (first.returncode, first.stdout) == (0, "")
    source.execute("insert into orders select g, '2026-11-24', 'n' from generate_series(1, 1000) g")
    queue.tick()
    second = run(tmp_path, path)
    assert second.returncode == 0, second.stderr
    assert target.value("select count(*) from orders_2026_11_24") == 1000
    assert re.search(r"\{count: 1000, duration: [0-9.]+, idle: [0-9.]+\}", second.stderr)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            "dest_tabel = x",
            "orders.ini: [table_dispatcher] dest_tabel: unknown key, did you mean dest_table?",
        ),
        ("loop_delay = soon", "orders.ini: [table_dispatcher] loop_delay: "),
        ("this is no ini line", "orders.ini: line "),
        ("[other]", "it has 2 jobs, [table_dispatcher] [other], and table_dispatcher runs one"),
    ],
)
def test_a_faulty_file_is_one_clear_line(
    tmp_path: Path, source: Database, target: Database, change: str, message: str
) -> None:
    """A fault names file, section and key on one line, exit status 1, without a traceback or a password."""
    done = run(tmp_path, example(tmp_path, source, target, change))
    assert done.returncode == 1
    assert message in done.stderr
    assert done.stderr.startswith("cannot load ")
    assert len(done.stderr.splitlines()) == 1


def test_a_missing_file_is_one_clear_line(tmp_path: Path) -> None:
    """It says that there is no such file."""
    done = run(tmp_path, "nowhere.ini")
    assert (done.returncode, done.stderr) == (1, "cannot read nowhere.ini: No such file or directory\n")


def test_a_missing_queue_is_exit_status_1(tmp_path: Path, source: Database, target: Database) -> None:
    """A mistake in the set-up ends the program, as any error does with the original, and says what to do."""
    done = run(tmp_path, example(tmp_path, source, target))
    assert done.returncode == 1
    assert "cannot read queue sourceq: there is no queue sourceq in database " in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unreachable_database_is_tried_again(tmp_path: Path, source: Database, target: Database) -> None:
    """It is logged once, not once per try, and without its password; SIGINT ends the wait at once."""
    path = example(tmp_path, source, target)
    path.write_text(
        re.sub(r"(?m)^dst_db .*", "dst_db = host=127.0.0.1 port=1 password=hunter2", path.read_text())
    )
    with subprocess.Popen(
        [TABLE_DISPATCHER, path], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    ) as process:
        log = tmp_path / "log" / "table_dispatcher_source_table_targetdb.log"
        wait_until(lambda: log.exists() and "trying again" in log.read_text(), "a line in the log")
        try:
            process.wait(2)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
        assert process.wait(5) == 0
        text = process.stderr.read() if process.stderr else ""
    assert text.count("cannot connect to the target database") == 1
    assert "hunter2" not in text
