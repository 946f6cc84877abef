"""The wheel as a user installs it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(*command: str | Path, cwd: Path) -> str:
    """Run a program that must succeed; returns what it printed."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.timeout(300)
def test_it_installs_beside_supervisor(tmp_path: Path) -> None:
    """In an empty venv, with PyPI's supervisor: both import and answer, the SQL and the page are there."""
    # A build leaves files beside its sources.
    sources = tmp_path / "sources"
    shutil.copytree(ROOT, sources, symlinks=True, ignore=shutil.ignore_patterns(".*", "build", "*.egg-info"))
    run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", tmp_path, sources, cwd=tmp_path)
    (wheel,) = tmp_path.glob("tdsup-*.whl")
    run(sys.executable, "-m", "venv", tmp_path / "venv", cwd=tmp_path)
    programs = tmp_path / "venv" / "bin"
    run(programs / "pip", "install", "-q", wheel, "supervisor", cwd=tmp_path)
    script = (
        "import supervisor.supervisord, tdsup.supervisor.cli.tdsup, tdsup.sandbox;"
        "import tdsup.dispatcher.postgres.queries, tdsup.jobtype;"
        "from tdsup.supervisor.web.assets import load_assets; load_assets()['/'];"
        "print(supervisor.__file__, tdsup.supervisor.__file__)"
    )
    theirs, ours = run(programs / "python", "-W", "ignore", "-c", script, cwd=tmp_path).split()
    assert Path(theirs).parent.name == Path(ours).parent.name == "supervisor"
    assert theirs != ours
    assert str(tmp_path) in ours
    assert "start" in run(programs / "tdsup", "--help", cwd=tmp_path)
    assert "config.ini" in run(programs / "table_dispatcher", "--help", cwd=tmp_path)
    assert run(programs / "supervisord", "--version", cwd=tmp_path).strip()
