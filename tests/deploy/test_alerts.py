"""A real Prometheus with the rules watches a real fleet: well, and with each fault made."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from harness.paths import ROOT
from harness.programs.fleet import Fleet, fleet
from harness.rows.orders import Orders
from harness.servers.database import Database
from harness.servers.prometheus import prometheus
from harness.waiting import wait_until

pytestmark = pytest.mark.timeout(300)

SHORTER = {
    r"for: \d+m": "for: 1s",
    r"lag_seconds:min > 300": "lag_seconds:min > 3",
    r"\[10m\]": "[10s]",
    r"> 900": "> 4",
    # A job looks at its queue each 15 s.
    r"> 300\b": "> 25",
    r"> 4 \* 3600": "> 3",
}
"""Times of the rules, and what they are here."""

QUIET = 20.0
"""Seconds without a fault."""

BROKEN_EVENT = (
    "select pgq.insert_event('orders', 'I:id', 'id=1&day=never', 'public.orders', null, null, null)"
)


def short_rules(folder: Path) -> Path:
    """The rules with times that a test can wait for."""
    text = (ROOT / "deploy" / "prometheus" / "tdsup.rules.yml").read_text()
    for pattern, time_ in SHORTER.items():
        text, count = re.subn(pattern, time_, text)
        assert count, pattern
    made = folder / "tdsup.rules.yml"
    made.write_text(text)
    return made


def certify(folder: Path, days: int) -> dict[str, str]:
    """A certificate that is valid for so many days, in the place of the one that is there."""
    certificate, key = folder / "cert.pem", folder / "key.pem"
    words = "req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1"
    made = [f"{certificate}.new", f"{key}.new"]
    subprocess.run(
        ["openssl", *words.split(), "-days", str(days), "-out", made[0], "-keyout", made[1]],
        check=True,
        capture_output=True,
    )
    for path in made:
        Path(path).replace(path.removesuffix(".new"))
    return {"web_cert": str(certificate), "web_key": str(key)}


class Faults:
    """What goes wrong with a fleet, one fault for each alert.

    Args:
        jobs: the fleet.
        source: its source.
        target: its target.
        folder: of its certificate.
    """

    def __init__(self, jobs: Fleet, source: Database, target: Database, folder: Path) -> None:
        self._jobs = jobs
        self._folder = folder
        names = ("orders", "stuck", "silent", "behind")
        self._tables = {name: Orders(source, target, name) for name in names}
        self._lock = Database(target.dsn)

    def write(self) -> None:
        """Write the jobs, all of them well."""
        for table in self._tables.values():
            table.write_job(self._jobs)
        for name in ("down", "blocked", "crashing", "standby"):
            self._jobs.write_job(name)

    def work(self) -> None:
        """Let each table have a row: an idle queue has a tick each minute, which is long here."""
        for table in self._tables.values():
            table.insert(1)

    def faults(self) -> dict[str, Callable[[], object]]:
        """What makes each fault, by the alert that it is to fire."""
        jobs, tables = self._jobs, self._tables
        return {
            "TdsupJobDown of down": lambda: jobs.write_job("down", behave="retry"),
            "TdsupJobBlocked of blocked": lambda: jobs.write_job("blocked", behave="setup"),
            "TdsupReloadFailed of tdsup": lambda: jobs.write_job("faulty", nonsense=1),
            "TdsupAllStandby of standby": lambda: jobs.write_job("standby", behave="standby"),
            "TdsupStuckInBatch of stuck": self._lock_out,
            "TdsupTickerDead of silent": lambda: tables["silent"].source.execute(
                "select pgq.set_queue_config('silent', 'ticker_paused', '1')"
            ),
            "TdsupDeadLetters of orders": lambda: tables["orders"].source.execute(BROKEN_EVENT),
            "TdsupRotationHeld of behind": lambda: jobs.run("stop-job", "behind"),
            "TdsupLagGrowing of behind": lambda: tables["behind"].insert(1),
            "TdsupCertificateEnds of tdsup": lambda: certify(self._folder, 3),
        }

    def _lock_out(self) -> None:
        self._lock.execute("begin; lock table stuck")
        self._tables["stuck"].insert(1)

    def die(self) -> None:
        """Let a job crash again and again, and the web child once."""
        titles = {Path(f"/proc/{pid}/cmdline").read_bytes(): pid for pid in self._jobs.children()}
        (web,) = (pid for title, pid in titles.items() if b"tdsup: web" in title)
        os.kill(web, signal.SIGKILL)
        for count in range(8):
            self._jobs.wait_for("crashing", state="running", restarts=count)
            time.sleep(1)
            self._jobs.kill_worker("crashing")

    def end(self) -> None:
        """Let go what a fault has held."""
        self._lock.execute("rollback")
        self._lock.close()


@pytest.fixture
def faults(tmp_path: Path, source: Database, target: Database) -> Iterator[tuple[Fleet, Faults]]:
    """A fleet that is well, and what can go wrong with it."""
    pair = certify(tmp_path, 365)
    with socket.create_server(("127.0.0.1", 0)) as free:
        # The same after the web child's death.
        port = free.getsockname()[1]
    with fleet(tmp_path / "fleet", web=f"127.0.0.1:{port}", **pair) as jobs:
        made = Faults(jobs, source, target, tmp_path)
        made.write()
        jobs.start()
        jobs.wait_all()
        yield jobs, made
        made.end()


def test_each_fault_is_told_and_health_is_silent(faults: tuple[Fleet, Faults], tmp_path: Path) -> None:
    """No alert fires of a fleet that is well; each fires once its fault is made."""
    jobs, faulty = faults
    address = wait_until(lambda: jobs.status()["web"], "the web child listens")
    with prometheus(tmp_path, address, short_rules(tmp_path)) as server:
        wait_until(lambda: server.query("tdsup_job_up"), "a first scrape is stored")
        # Before the first scrape there was nothing at all.
        wait_until(lambda: server.query("up") and not server.firing(), "silence")
        end = time.monotonic() + QUIET
        while time.monotonic() < end:
            assert server.firing() == set()
            faulty.work()
            time.sleep(1)
        wanted = faulty.faults()
        for make in wanted.values():
            make()
        jobs.run("reload")
        faulty.die()
        expected = {*wanted, "TdsupCrashLoop of crashing", "TdsupWebGone of tdsup"}
        with contextlib.suppress(AssertionError):
            wait_until(lambda: expected <= server.firing(), "all alerts fire", 90)
        assert expected <= server.firing(), f"silent: {expected - server.firing()}; {jobs.status()}"
        jobs.stop()
        wait_until(lambda: "TdsupGone of tdsup" in server.firing(), "the end of the fleet is told")
