"""Run the fleet of conf.d while a load fills three tables, and count what arrives."""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tdsup.sandbox import Sandbox, SandboxError
from tdsup.supervisor.cli.asking.status import render
from tdsup.supervisor.errors import TdsupError
from tdsup.supervisor.protocol.client import Client

sys.path.append(str(Path(__file__).parents[1]))

from script.shop import SOURCE, TABLES, TARGET, Shop

JOBS = Path(__file__).resolve().parents[1] / "conf.d"

STEP = 0.1
"""Seconds between two inserts."""

REDRAW = 1.0
"""Seconds between two updates of the table on the terminal."""

READY_WAIT = 30.0
DRAIN_WAIT = 60.0
"""Seconds without a further row after which the fleet counts as stuck."""


class Fleet:
    """``tdsup start`` in its own directory."""

    def __init__(self, box: Sandbox) -> None:
        self.directory = box.directory / "fleet"
        self.directory.mkdir()
        services = "".join(
            f"[tdsup_{name}]\nhost={cluster.directory}\nport={cluster.port}\nuser=postgres\n"
            for name, cluster in (("source", box.source), ("target", box.target))
        )
        (self.directory / "services.conf").write_text(services)
        (self.directory / "tdsup.yaml").write_text(f"jobs: ['{JOBS}/*.ini']\nweb: 127.0.0.1:0\n")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tdsup.supervisor.cli.tdsup", "start"],
            cwd=self.directory,
            env={**os.environ, "PGSERVICEFILE": str(self.directory / "services.conf")},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def status(self) -> dict[str, Any]:
        """What ``tdsup status`` shows."""
        with Client(str(self.directory / "run" / "tdsup.sock")) as client:
            answer: dict[str, Any] = client.call("status")
            return answer

    def wait_ready(self) -> dict[str, Any]:
        """Wait until every job runs; their consumers are registered only then."""
        deadline = time.monotonic() + READY_WAIT
        while True:
            with contextlib.suppress(TdsupError):
                status = self.status()
                if status["web"] and all(job["state"] == "running" for job in status["jobs"]):
                    return status
            if self._process.poll() is not None or time.monotonic() > deadline:
                log = self.directory / "log" / "tdsup.log"
                raise SystemExit(log.read_text() if log.exists() else "the fleet did not start")
            time.sleep(STEP)

    def stop(self) -> None:
        """Stop the fleet as ``tdsup stop`` does."""
        self._process.terminate()
        self._process.wait()


class Screen:
    """The live table: redrawn in place on a terminal, printed now and then elsewhere."""

    def __init__(self, heading: str) -> None:
        self._live = sys.stdout.isatty()
        self._heading = heading
        self._next = 0.0
        self._lines = 0

    def draw(self, fleet: Fleet, shop: Shop) -> None:
        """Show the jobs, if it is time to."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + (REDRAW if self._live else 5 * REDRAW)
        width = shutil.get_terminal_size().columns
        text = render(fleet.status(), width)
        text += f"\n\n{shop.sent:,} events sent. {self._heading}"
        if self._live and self._lines:
            print(f"\x1b[{self._lines}A\x1b[J", end="")
        print(text, flush=True)
        self._lines = text.count("\n") + 1


def demo(seconds: float | None, rate: float) -> int:
    """Run the demo; returns 0 unless something was lost or doubled."""
    print("Starting two PostgreSQL servers with PgQ ...", flush=True)
    with Sandbox() as box, contextlib.closing(Shop(box, rate)) as shop:
        fleet = Fleet(box)
        try:
            status = fleet.wait_ready()
            tdsup = Path(sys.executable).with_name("tdsup")
            print(f"page     http://{status['web']}/")
            print(f"fleet    {tdsup} -C {fleet.directory} status")
            print(f"metrics  curl http://{status['web']}/metrics")
            print(f"source   psql '{box.source.dsn(SOURCE)}'")
            print(f"target   psql '{box.target.dsn(TARGET)}'\n")
            with _ended_by_signals() as ended:
                _load(fleet, shop, seconds, ended)
            return _drain_and_count(fleet, shop) if seconds is not None and not ended else 0
        finally:
            fleet.stop()


def _load(fleet: Fleet, shop: Shop, seconds: float | None, ended: list[int]) -> None:
    screen = Screen("Ctrl-C ends the demo." if seconds is None else f"The load ends after {seconds:g} s.")
    shop.begin()
    end = time.monotonic() + (seconds if seconds is not None else float("inf"))
    while time.monotonic() < end and not ended:
        shop.work()
        screen.draw(fleet, shop)
        time.sleep(STEP)


def _drain_and_count(fleet: Fleet, shop: Shop) -> int:
    print("\nThe load has ended; waiting for the fleet to load the rest ...", flush=True)
    arrived, since = -1, time.monotonic()
    while arrived < shop.sent and time.monotonic() - since < DRAIN_WAIT:
        before, arrived = arrived, shop.arrived()
        if arrived != before:
            since = time.monotonic()
        time.sleep(STEP)
    restarts = {job["name"]: job["restarts"] for job in fleet.status()["jobs"]}
    print(f"\n{'JOB':<10}{'EVENTS':>10}{'ROWS':>10}{'LOST':>8}{'DOUBLED':>9}{'RESTARTS':>10}")
    faults = 0
    for table in TABLES:
        events, rows, lost, doubled = shop.count(table)
        faults += lost + doubled
        print(f"{table.name:<10}{events:>10}{rows:>10}{lost:>8}{doubled:>9}{restarts.get(table.name, 0):>10}")
    return 1 if faults else 0


@contextlib.contextmanager
def _ended_by_signals() -> Iterator[list[int]]:
    """Collect the signals that ask to end, in the list; they have no other effect in the context."""
    got: list[int] = []
    before = {
        number: signal.signal(number, lambda number, _frame: got.append(number))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield got
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is no positive number")
    return value


def main() -> int:
    """Read the options and run."""
    parser = argparse.ArgumentParser(prog="script/demo", description=__doc__)
    parser.add_argument(
        "--seconds", type=_positive, help="end the load after so many seconds and count (default: run on)"
    )
    parser.add_argument(
        "--rate", type=_positive, default=200.0, help="events per second and job (default: 200)"
    )
    arguments = parser.parse_args()
    try:
        return demo(arguments.seconds, arguments.rate)
    except (SandboxError, TdsupError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    # SIGTERM acts like Ctrl-C at any time, so that the sandbox is always cleaned up.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
