"""The demo as a newcomer runs it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest
from harness.waiting import wait_until

ROOT = Path(__file__).parents[2]


class Demo:
    """A running ``script/demo``; its output goes to a file."""

    def __init__(self, directory: Path, *arguments: str) -> None:
        self._output = directory / "output"
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                [ROOT / "script" / "demo", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                env={**os.environ, "PYTHONWARNINGS": "error"},
            )
        wait_until(lambda: "events sent" in self.text or self.process.poll() is not None, "a table", 60)
        assert self.process.poll() is None, self.text

    @property
    def text(self) -> str:
        """Its output so far."""
        return self._output.read_text()

    @property
    def fleet(self) -> Path:
        """The fleet's directory, as the demo prints it."""
        match = re.search(r"tdsup -C (\S+) status", self.text)
        assert match, self.text
        return Path(match[1])

    def status(self) -> list[dict[str, object]]:
        """What ``tdsup status --json`` says of the jobs."""
        command: list[str | Path] = [ROOT / ".venv" / "bin" / "tdsup", "-C", self.fleet, "status", "--json"]
        answer = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
        jobs: list[dict[str, object]] = answer["jobs"]
        return jobs


def processes_of(directory: Path) -> list[int]:
    """Processes that work in a directory or below it."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and (entry / "cwd").readlink().is_relative_to(directory):
                found.append(int(entry.name))
        except OSError:
            continue
    return found


@pytest.mark.timeout(180)
def test_nothing_is_lost_while_workers_are_killed(tmp_path: Path) -> None:
    """With kill -9 on a worker every two seconds of the load, each event is in the target exactly once."""
    demo = Demo(tmp_path, "--seconds", "20", "--rate", "500")
    box = demo.fleet.parent
    killed = 0
    next_kill = time.monotonic() + 1
    while "The load has ended" not in demo.text:
        if time.monotonic() >= next_kill:
            pids = [int(str(job["pid"])) for job in demo.status() if job["pid"]]
            os.kill(pids[killed % len(pids)], signal.SIGKILL)
            killed += 1
            next_kill += 2
        time.sleep(0.05)
        assert demo.process.poll() is None, demo.text
    assert demo.process.wait(120) == 0, demo.text
    assert killed >= 9
    table = [line.split() for line in demo.text.partition("DOUBLED")[2].splitlines()[1:]]
    assert [row[0] for row in table] == ["orders", "clicks", "payments"]
    for _, events, rows, lost, doubled, _ in table:
        assert int(events) == int(rows) > 9000
        assert (lost, doubled) == ("0", "0")
    assert sum(int(row[5]) for row in table) == killed
    assert not box.exists()
    assert not processes_of(box)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_leaves_nothing_behind(tmp_path: Path, how: signal.Signals) -> None:
    """An interrupted demo ends with status 0, and leaves no process and no file."""
    demo = Demo(tmp_path)
    box = demo.fleet.parent
    assert {job["name"] for job in demo.status()} == {"orders", "clicks", "payments"}
    demo.process.send_signal(how)
    assert demo.process.wait(60) == 0, demo.text
    assert "Traceback" not in demo.text
    assert not box.exists()
    assert not processes_of(box)
