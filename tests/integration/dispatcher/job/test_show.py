"""All that is known of one job, and what it has done."""

from __future__ import annotations

import re
from pathlib import Path

from harness.programs.fleet import fleet
from harness.rows.orders import Orders
from harness.servers.database import Database

DATABASES = (
    r" consumer orders: at tick \d+, of .* ago, 0 events before the newest",
    r" position: tick \d+ \(own\)",
    r" owner: a process on host \S+, session \d+ here",
)


def test_a_job_is_shown(tmp_path: Path, source: Database, target: Database) -> None:
    """State, settings with their origin and without passwords, positions and owner."""
    orders = Orders(source, target)
    with fleet(tmp_path, defaults={"idle_disconnect": "7"}) as made:
        orders.write_job(made, src_db=f"{source.dsn} password=hunter2", loop_delay="0.5")
        made.start()
        made.wait_for("orders", state="running")
        orders.insert(3)
        orders.wait_finished()
        shown = made.run("show", "orders").stdout
        assert "hunter2" not in shown
        lines = [re.sub(" +", " ", line) for line in shown.splitlines()]
        chapters = [line for line in lines if not line.startswith(" ")]
        assert chapters == ["now", "settings", "latest changes", "databases"]
        found = [
            line.rpartition(" ")
            for line in lines
            if line.startswith(" loop_delay 0.5 conf.d/orders.ini: line ")
        ]
        text = (made.directory / "conf.d" / "orders.ini").read_text().splitlines()
        assert [text[int(number) - 1] for _line, _space, number in found] == ["loop_delay = 0.5"]
        assert {" idle_disconnect 7 tdsup.yaml: defaults", " bad_events dead_letter default"} <= {*lines}
        for wanted in (r" state running for \d.*, pid \d+", *DATABASES):
            assert any(re.fullmatch(wanted, line) for line in lines), wanted


def test_what_a_job_has_done_outlives_the_fleet(tmp_path: Path) -> None:
    """Each change of state with its time and reason."""
    with fleet(tmp_path) as made:
        made.write_job("orders")
        made.start()
        made.wait_all()
        pid = made.kill_worker("orders")
        made.wait_for("orders", state="running", pid=lambda new: new not in {pid, None})
        made.stop()
        told = made.run("history", "orders").stdout.splitlines()
        states = [re.split(r" {2,}", line)[1] for line in told]
        assert states == ["running", "backoff", "starting", "running", "stopping", "stopped"]
        assert "killed by SIGKILL" in told[1]
        assert made.run("history", "orders", "-n", "1").stdout.splitlines()[0].split()[2] == "stopped"
        made.start()
        made.wait_all()
        assert len(made.run("history", "orders").stdout.splitlines()) == len(told) + 1


def test_a_job_whose_databases_are_away_is_shown(tmp_path: Path, source: Database) -> None:
    """What can be told is told; what cannot is one line."""
    with fleet(tmp_path) as made:
        made.write_job(
            "orders",
            "table_dispatcher",
            src_db=source.dsn,
            dst_db="host=/nonexistent dbname=x",
            pgq_queue_name="nothing",
            dest_table="t",
        )
        done = made.run("show", "orders")
        assert done.returncode == 1
        assert "there is no queue nothing" in done.stdout
        assert done.stderr.startswith("cannot connect to the target database")


def test_a_name_that_no_job_has_is_told(tmp_path: Path) -> None:
    """With the nearest one."""
    with fleet(tmp_path) as made:
        made.write_job("orders")
        for command in ("show", "history"):
            done = made.run(command, "order")
            assert (done.returncode, done.stdout) == (1, "")
            assert done.stderr.endswith("order: no job has that name, did you mean orders?\n")
