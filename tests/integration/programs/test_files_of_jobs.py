"""Commands that act on a job by its file, without a fleet."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from harness.paths import TDSUP
from harness.programs.fleet import Fleet
from harness.rows.orders import Orders


@pytest.fixture
def file(tmp_path: Path, orders: Orders) -> Path:
    """The file of a job with a dead letter; nothing else is in its folder."""
    orders.drain(job_name="alone")
    orders.source.execute("insert into orders values (0, null, 'no day')")
    orders.queue.tick()
    orders.drain(part_field="day", job_name="alone")
    path = tmp_path / "alone.ini"
    keys = {**orders.keys(part_field="_EVTIME"), "job_name": "alone"}
    text = "".join(f"{key} = {value}\n" for key, value in keys.items())
    path.write_text(f"[table_dispatcher]\n{text}", encoding="utf-8")
    return path


def run(directory: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run ``tdsup`` in a folder."""
    return subprocess.run(
        [TDSUP, *words],
        cwd=directory,
        env=Fleet(directory).environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def test_dead_letters_of_a_job_without_a_fleet(file: Path) -> None:
    """By a path or a name of a file: listed, and replayed by what the file says."""
    listed = run(file.parent, "dead-letters", "alone.ini", "list")
    assert listed.stdout.splitlines()[1].endswith("its partition value is NULL")
    replayed = run(Path("/"), "dead-letters", str(file), "replay")
    assert (replayed.returncode, replayed.stdout.splitlines()[-1]) == (0, "loaded 1 of 1")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """Its name is told, and why it cannot be read."""
    done = run(tmp_path, "dead-letters", "./no.ini", "list")
    assert done.returncode != 0
    assert "cannot read ./no.ini: No such file or directory" in done.stderr


def test_repairs_take_files_too(file: Path) -> None:
    """Rewind and skip as well."""
    rewound = run(file.parent, "rewind", "./alone.ini", "--dry-run")
    assert (rewound.returncode, rewound.stderr) == (0, "")
    skipped = run(file.parent, "skip", "alone.ini")
    assert "cannot skip the open batch of consumer alone on queue orders: there is none" in skipped.stderr
