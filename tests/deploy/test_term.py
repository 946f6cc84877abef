"""SIGTERM, as service managers and orchestrators send it: how a fleet ends, and within which time."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from harness.programs.fleet import fleet
from harness.rows.orders import Orders
from harness.servers.database import Database

MARGIN = 5.0
"""Seconds beyond ``stop_timeout`` and ``kill_timeout``, as the master tells systemd."""

SLOW = (
    "create function slow() returns trigger language plpgsql "
    "as $$ begin perform pg_sleep(0.4); return new; end $$; "
    "create trigger slow before insert on orders for each row execute function slow()"
)


def test_a_batch_at_work_is_ended_first(tmp_path: Path, source: Database, target: Database) -> None:
    """The fleet ends with 0, after the batch: its rows are there, and the queue knows it."""
    orders = Orders(source, target)
    target.execute(SLOW)
    with fleet(tmp_path) as made:
        orders.write_job(made, part_field="")
        made.start()
        made.wait_for("orders", state="running")
        orders.insert(5)
        target.wait_for("select count(*) = 1 from pg_stat_activity where wait_event = 'PgSleep'")
        os.kill(made.pid, signal.SIGTERM)
        assert made.exit_code() == 0
        assert target.value("select count(*) from orders") == 5
        assert not orders.verdict().doubled


def test_the_end_takes_no_longer_than_the_settings_say(tmp_path: Path) -> None:
    """Jobs that do not end by themselves are ended; the fleet has ended as asked, with 0."""
    with fleet(tmp_path, stop_timeout=1, kill_timeout=1) as made:
        for behave in ("stubborn", "deaf", "work"):
            made.write_job(behave, behave=behave)
        made.start()
        made.wait_for("work", state="running")
        begun = time.monotonic()
        os.kill(made.pid, signal.SIGTERM)
        assert made.exit_code() == 0
        assert time.monotonic() - begun < 1 + 1 + MARGIN
        assert made.processes() == []
