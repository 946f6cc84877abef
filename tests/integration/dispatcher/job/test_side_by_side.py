"""Jobs beside other jobs, other processes and failing servers."""

from __future__ import annotations

from contextlib import ExitStack

import pytest
from harness.paths import PGQ_EXT
from harness.rows.job import RunningJob, drain, job_keys
from harness.rows.pipeline import Pipeline, Table
from harness.servers.database import Database
from harness.servers.queue import Queue
from tdsup.dispatcher.errors import SetupError
from tdsup.sandbox import Sandbox


@pytest.fixture
def orders(target: Database, queue: Queue) -> Pipeline:
    """Orders of 30 days; their job has not run yet."""
    template = "create table _DEST_TABLE (primary key (_PKEY)) inherits (_PARENT)"
    return Pipeline(queue, target, Table("orders"), part_field="day", part_template=template)


def test_eight_jobs_race_for_new_partitions(source: Database, target: Database, queue: Queue) -> None:
    """Eight jobs need the same thirty new tables at once: each is created once, and no job sees an error."""
    target.execute("create table orders (id int, day date, job int)")
    jobs = []
    for number in range(8):
        source.execute(f"create table orders{number} (id int primary key, day date, job int)")
        queue.attach(f"orders{number}")
        jobs.append(
            job_keys(
                source,
                target,
                table="orders",
                job_name=f"job{number}",
                table_filter=f"orders{number}",
                part_field="day",
                part_template="create table _DEST_TABLE () inherits (_PARENT)",
            )
        )
    for job in jobs:
        drain(**job)
    for number in range(8):
        source.execute(
            f"insert into orders{number} select g, date '2026-11-01' + g % 30, {number} "
            "from generate_series(1, 600) g"
        )
    queue.tick()
    with ExitStack() as stack:
        running = [stack.enter_context(RunningJob(**job)) for job in jobs]
        for each in running:
            each.wait_for("running", rows=600)
    assert sum(each.context.values["partitions"] for each in running) == 30
    assert target.rows("select job, count(*), count(distinct id) from orders group by 1 order by 1") == [
        (number, 600, 600) for number in range(8)
    ]


def test_a_second_process_of_a_consumer_stands_by(orders: Pipeline) -> None:
    """One works, the other says who does; it takes over when the first ends, and nothing doubles."""
    with orders.running() as worker:
        worker.wait_for("running")
        with orders.running() as standby:
            standby.wait_for("standby", reason="consumer job works elsewhere: host ")
            orders.insert(300, days=30)
            worker.wait_for("running", rows=300)
            worker.context.stop()
            standby.wait_for("running")
            orders.insert(300, days=30)
            standby.wait_for("running", rows=300)
    orders.check()


def test_consumers_of_one_name_in_pgq_ext_do_not_mix(orders: Pipeline) -> None:
    """pgq_ext knows consumers by name alone: of two queues' jobs with one name, the second is blocked."""
    orders.target.execute(PGQ_EXT.read_text())
    Queue(orders.source, "otherq").create()
    orders.drain()
    with pytest.raises(SetupError, match="by consumer name alone, and queue q has a consumer of that name"):
        orders.drain(pgq_queue_name="otherq")


def test_the_parent_is_not_locked_while_a_batch_loads(target: Database, orders: Pipeline) -> None:
    """While a batch that created partitions waits in its load, the parent can be altered."""
    orders.drain()
    with target.another() as blocker:
        target.execute("create table orders_2026_11_30 (primary key (id)) inherits (orders)")
        blocker.execute("begin; lock table orders_2026_11_30 in exclusive mode")
        with orders.running() as job:
            job.wait_for("running")
            orders.insert(60, days=30)
            target.wait_for(
                "select exists (select from pg_stat_activity where wait_event_type = 'Lock' "
                "and query ilike '%copy%orders_2026_11_30%')"
            )
            target.execute(
                "set lock_timeout = '2s'; alter table only orders add constraint c check (id > 0) no inherit"
            )
            blocker.execute("rollback")
            job.wait_for("running", rows=60)


def test_a_refusing_server_is_tried_ever_less(
    source: Database,
    target: Database,
    orders: Pipeline,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A read-only target makes one line in the log, not one a try, and the batch loads in the end."""
    orders.drain()
    name = target.value("select current_database()")
    target.execute(f"alter database {name} set default_transaction_read_only = on")
    with caplog.at_level("INFO", "job"), orders.running() as job:
        orders.insert(10, days=30)
        job.wait_for("retrying", reason="read-only transaction")
        tries = len(job.context.reports)
        job.wait_for("retrying")
        source.wait_for("select pg_sleep(1.5) is not null")
        conditions = {report.condition for report in job.context.reports[tries:]}
        assert conditions == {"retrying"}
        assert caplog.text.count("trying again") == 1
        target.execute("set transaction_read_only = off")
        target.execute(f"begin; set transaction read write; alter database {name} reset all; commit")
        job.wait_for("running")
        target.wait_for("select count(*) = 10 from orders")
    assert caplog.text.count("works again") == 1


@pytest.mark.parametrize("which", ["source", "target"])
def test_a_killed_server_is_waited_for(
    sandbox: Sandbox, source: Database, target: Database, orders: Pipeline, which: str
) -> None:
    """A crashed server makes the job retry, and it goes on by itself when the server is back."""
    cluster = getattr(sandbox, which)
    with orders.running() as job:
        job.wait_for("running")
        orders.insert(100, days=30)
        job.wait_for("running", rows=100)
        cluster.kill()
        try:
            job.wait_for("retrying", reason=f"cannot connect to the {which} database: ")
        finally:
            cluster.start()
        job.wait_for("running")
        source.reconnect()
        target.reconnect()
        orders.insert(100, days=30)
        job.wait_for("running", rows=200)
    orders.check()
