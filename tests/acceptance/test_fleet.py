"""A fleet of real jobs on real servers."""

from __future__ import annotations

import re
from pathlib import Path

from harness.programs.fleet import fleet
from harness.rows.orders import DISPATCHER, Orders
from harness.servers.database import Database


def test_a_fleet_loads_and_tells(tmp_path: Path, source: Database, target: Database) -> None:
    """Two jobs load their tables; status and metrics count the same rows; stop ends everything."""
    tables = [Orders(source, target, name) for name in ("orders", "clicks")]
    with fleet(tmp_path) as jobs:
        for table in tables:
            table.write_job(jobs)
        jobs.start()
        jobs.wait_all()
        for number, table in enumerate(tables, 1):
            table.insert(100 * number)
            table.wait_loaded()
            table.wait_finished()
        jobs.wait_for("orders", rows=100, events=100, partitions=3)
        clicks = jobs.wait_for("clicks", rows=200)
        assert 0 <= clicks["lag"] < 5
        metrics = jobs.get("/metrics")
        labels = 'job="clicks",queue="clicks",table="public.clicks"'
        assert sorted(_labels(metrics, "tdsup_job_rows_total")) == [
            (labels, 200.0),
            ('job="orders",queue="orders",table="public.orders"', 100.0),
        ]
        for name in ("batches_total", "partitions_total", "lag_seconds", "lag_events", "cpu_seconds_total"):
            assert labels in dict(_labels(metrics, f"tdsup_job_{name}"))
        inserted = 'job="clicks",operation="insert",outcome="row",queue="clicks",table="public.clicks"'
        assert dict(_labels(metrics, "tdsup_job_events_total"))[inserted] == 200
        assert dict(_labels(metrics, "tdsup_job_batch_events_sum"))[labels] == 200
        assert 'tdsup_job_state{job="orders",state="running"} 1.0' in metrics
        jobs.stop()
        assert not jobs.processes()
    assert all(table.verdict().clean for table in tables)


def _labels(metrics: str, name: str) -> list[tuple[str, float]]:
    """Labels, sorted by name, and value of each sample."""
    found = re.findall(rf"^{name}{{(.*)}} (\S+)$", metrics, re.MULTILINE)
    return [(",".join(sorted(labels.split(","))), float(value)) for labels, value in found]


def test_bad_jobs_stop_nobody(tmp_path: Path, source: Database, target: Database) -> None:
    """Broken, unreadable and misconfigured files give one clear line each, and the good job keeps running."""
    good = Orders(source, target)
    with fleet(tmp_path) as jobs:
        good.write_job(jobs)
        jobs.write_text("broken", "[table_dispatcher\nwhat is this\n")
        (tmp_path / "conf.d" / "missing.ini").symlink_to("nowhere.ini")
        jobs.write_job("unknown", DISPATCHER, **good.keys(dest_tabel="x"))
        jobs.write_job("unreachable", DISPATCHER, **good.keys(src_db="host=/nowhere password=hunter2"))
        jobs.write_job("queueless", DISPATCHER, **good.keys(pgq_queue_name="nix"))
        jobs.start()
        for name, state, reason in (
            ("broken", "blocked", r"cannot load conf\.d/broken\.ini: line 1: .*"),
            ("missing", "blocked", r"cannot read conf\.d/missing\.ini: No such file or directory"),
            (
                "unknown",
                "blocked",
                r"cannot load conf\.d/unknown\.ini: \[table_dispatcher\] dest_tabel: .* mean dest_table\?",
            ),
            ("unreachable", "backoff", r"cannot connect to the source database: .*No such file or directory"),
            (
                "queueless",
                "blocked",
                r"cannot read queue nix: .*; run there: select pgq\.create_queue\('nix'\)",
            ),
        ):
            job = jobs.wait_for(name, state=state)
            assert re.fullmatch(reason, job["reason"]), job["reason"]
        # A consumer gets events from its registration on.
        jobs.wait_for("orders", state="running")
        good.insert(100)
        good.wait_loaded()
        assert good.verdict().clean
        assert jobs.job("orders")["restarts"] == 0
        table = jobs.run("status").stdout
        assert "hunter2" not in table + jobs.log() + jobs.log("unreachable")
        assert "Traceback" not in table + jobs.log() + jobs.log("unreachable") + jobs.log("queueless")
        jobs.stop()


def test_what_is_mended_runs(tmp_path: Path, source: Database, target: Database) -> None:
    """A reload picks up a new queue and a corrected file; the good job keeps its pid."""
    good, late = Orders(source, target), Orders(source, target, "late")
    with fleet(tmp_path) as jobs:
        good.write_job(jobs)
        late.write_job(jobs, pgq_queue_name="not_yet")
        jobs.start()
        jobs.wait_for("late", state="blocked")
        pid = jobs.wait_for("orders", state="running")["pid"]
        source.execute("select pgq.create_queue('not_yet')")
        assert jobs.run("reload", "late").returncode == 0
        jobs.wait_for("late", state="running")
        late.write_job(jobs)
        assert jobs.run("reload").stdout == "changed: late\nunchanged: orders\n"
        jobs.wait_for("late", state="running")
        late.insert(10)
        late.wait_loaded()
        assert jobs.job("orders")["pid"] == pid
        jobs.stop()


def test_reload_changes_where_rows_go(tmp_path: Path, source: Database, target: Database) -> None:
    """A changed file takes effect at a batch boundary: no event is lost or doubled between two tables."""
    orders = Orders(source, target)
    target.execute("create table elsewhere (id int, day date, note text)")
    with fleet(tmp_path) as jobs:
        orders.write_job(jobs)
        jobs.start()
        jobs.wait_all()
        orders.insert(100)
        orders.wait_loaded()
        orders.write_job(jobs, dest_table="elsewhere", part_field="")
        assert jobs.run("reload", "orders").returncode == 0
        jobs.wait_for("orders", state="running", restarts=1)
        orders.insert(50)
        target.wait_for("select count(*) = 50 from elsewhere")
        assert target.value("select count(*) from orders") == 100
        jobs.wait_for("orders", rows=150)
        jobs.stop()


def test_a_dead_letter_shows_and_is_replayed(tmp_path: Path, source: Database, target: Database) -> None:
    """Status, metrics and log show it; the command line lists it, and loads it once its cause is gone."""
    orders = Orders(source, target)
    with fleet(tmp_path) as jobs:
        orders.write_job(jobs)
        jobs.start()
        jobs.wait_all()
        source.execute("insert into orders values (0, null, 'no day')")
        orders.insert(9)
        orders.wait_loaded()
        jobs.wait_for("orders", dead_letters=1, rows=9, events=10)
        jobs.wait_for("orders", dead_letters_kept=1)
        heading, line, _ = jobs.run("status").stdout.splitlines()
        assert line.split()[heading.split().index("DEAD")] == "1"
        labels = 'job="orders",queue="orders",table="public.orders"'
        assert _labels(jobs.get("/metrics"), "tdsup_job_dead_letters_total") == [(labels, 1.0)]
        assert "WARNING orders: 1 dead letter in batch" in jobs.log("orders")
        listed = jobs.run("dead-letters", "orders", "list").stdout.splitlines()
        assert listed[1].endswith("its partition value is NULL")
        letter = listed[1].split()[0]
        assert "ev_data    id=0&day&note=no+day" in jobs.run("dead-letters", "orders", "show", letter).stdout
        orders.write_job(jobs, part_field="_EVTIME")
        assert jobs.run("reload", "orders").returncode == 0
        replayed = jobs.run("dead-letters", "orders", "replay", letter)
        assert (replayed.returncode, replayed.stdout) == (0, f"{letter}: loaded\nloaded 1 of 1\n")
        assert jobs.run("dead-letters", "orders", "purge", "--all").stdout == "purged 0\n"
        jobs.stop()
    assert orders.verdict().clean
