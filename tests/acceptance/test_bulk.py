"""Very many events, of which one in a hundred is bad, and events of a hundred megabytes."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from harness.paths import TABLE_DISPATCHER
from harness.rows.job import Keys, job_keys
from harness.rows.outcomes import CASES, COLUMNS, Dead, job_of_orders
from harness.servers.database import Database
from harness.servers.queue import Queue

EVERY = 100
"""One event in this many is bad."""

MEMORY_LIMIT = 128 << 20
"""Most bytes of memory a job may use, however large the batch."""

BAD = [case for cases in CASES.values() for case in cases if isinstance(case.outcome, Dead)]
"""Events that do not become rows, each for a different reason."""


def run(directory: Path, keys: Keys) -> tuple[int, str, int]:
    """Run a job as a program until its queue is empty; returns exit status, log and peak memory in bytes."""
    lines = [f"{key} = {str(value).replace('%', '%%')}" for key, value in keys.items()]
    path = directory / "job.ini"
    path.write_text("\n".join(["[table_dispatcher]", "loop_delay = 0", *lines, ""]), encoding="utf-8")
    with (directory / "said").open("w+", encoding="utf-8") as said:
        process = subprocess.Popen([TABLE_DISPATCHER, path], stderr=said)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        return process.returncode, said.read(), usage.ru_maxrss << 10


@pytest.fixture
def keys(source: Database, target: Database) -> Keys:
    """Keys of a job with a registered consumer; row 0 is in the target."""
    return job_of_orders(source, target, f"create table orders ({COLUMNS})")


@pytest.mark.timeout(1200)
def test_a_large_batch_is_accounted_for(
    source: Database, target: Database, keys: Keys, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    """In one batch, each good event becomes one row and each bad one a dead letter; memory stays small."""
    assert len(BAD) >= 20
    events = int(pytestconfig.getoption("events"))
    source.execute("create table bad (n int, type text, data text)")
    for number, case in enumerate(BAD):
        source.execute("insert into bad values (%s, %s, %s)", number, case.type, case.data)
    # One statement, so that all events are in one tick.
    source.execute(
        "create table sent as select g as id, b.n is null as good, pgq.insert_event('q', "
        "case when b.n is null then 'I:id' else b.type end, "
        "case when b.n is null then 'id=' || g || '&at=2026-11-2' || g %% 7 || '+12%%3a00&note=note+' || g "
        "else replace(b.data, '{id}', g::text) end) as event "
        "from generate_series(1, %s) g left join bad b on g %% %s = 0 and b.n = g / %s %% %s",
        events,
        EVERY,
        EVERY,
        len(BAD),
    )
    Queue(source, "q").tick()
    code, said, memory = run(tmp_path, {**keys, "job_name": "job", "bad_event_limit": events // EVERY})
    assert code == 0, said
    good = set(source.column("select id from sent where good"))
    bad = set(source.column("select event from sent where not good"))
    assert len(bad) == events // EVERY
    rows = target.column("select id from orders where id > 0")
    letters = target.column("select ev_id from tdsup.dead_letter")
    assert (len(rows), set(rows)) == (len(good), good)
    assert (len(letters), set(letters)) == (len(bad), bad)
    assert f"{{count: {events}, duration: " in said
    assert f"{len(bad)} dead letters in batch" in said
    assert memory < MEMORY_LIMIT, f"{memory >> 20} MiB"


def test_an_event_of_a_hundred_megabytes(
    source: Database, target: Database, keys: Keys, tmp_path: Path
) -> None:
    """It is loaded, or a dead letter where its column is too short; the log says so, and the job goes on."""
    size = 100 << 20
    target.execute("alter table orders add long text")
    events = [
        source.value(
            "select pgq.insert_event('q', 'I:id', "
            "'id=' || %s || '&at=2026-11-24&' || %s || '=' || repeat('x', %s))",
            number,
            column,
            size,
        )
        for number, column in ((1, "long"), (2, "note"))
    ]
    source.execute("select pgq.insert_event('q', 'I:id', 'id=3&at=2026-11-24')")
    Queue(source, "q").tick()
    code, said, _memory = run(tmp_path, {**keys, "job_name": "job"})
    assert code == 0, said
    assert target.rows("select id, length(long) from orders where id > 0 order by id") == [
        (1, size),
        (3, None),
    ]
    assert target.rows("select ev_id, length(ev_data), sqlstate from tdsup.dead_letter") == [
        (events[1], size + len("id=2&at=2026-11-24&note="), "22001")
    ]
    for event, outcome in zip(events, ("it is loaded", "it is a dead letter"), strict=True):
        assert f"event {event} of " in said
        assert outcome in said


@pytest.mark.timeout(300)
@pytest.mark.parametrize("rows", [200_000, 1])
def test_memory_does_not_grow_with_the_changes_of_a_tick(
    source: Database, target: Database, tmp_path: Path, rows: int
) -> None:
    """Whether they change one row or as many as they are: what is held is bounded by buffer_size."""
    ddl = "create table t (id int primary key, note text)"
    target.execute(f"{ddl}; insert into t select g, 'old' from generate_series(1, %s) g", rows)
    queue = Queue(source, "q")
    queue.create()
    source.execute("select pgq.register_consumer('q', 'job')")
    peaks = []
    for events in (20_000, 200_000):
        source.execute(
            "select count(pgq.insert_event('q', 'U:id', 'id=' || 1 + g %% %s || '&note=note+' || g, "
            "'public.t', null, null, null)) from generate_series(1, %s) g",
            rows,
            events,
        )
        queue.tick()
        keys = job_keys(source, target, job_name="job", start="registered", buffer_size="4 MiB")
        code, said, memory = run(tmp_path, keys)
        assert code == 0, said
        assert f"{{count: {events}, duration: " in said
        peaks.append(memory)
    assert target.value("select note from t where id = 1") == "note 200000"
    assert peaks[1] - peaks[0] < 4 << 20, [peak >> 20 for peak in peaks]
