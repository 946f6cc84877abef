"""The last program that knew version 1 of schema ``tdsup`` only, taken from this repository's history."""

from __future__ import annotations

import io
import subprocess
import tarfile
from pathlib import Path

from harness.paths import TESTS
from harness.programs.program import Program

COMMIT = "46f54538cf84265e60a3a441c47e13408b1e7b9c"

PACKAGES = ("dispatcher", "jobtype", "sandbox", "supervisor")


def old_version(directory: Path) -> Path:
    """Unpack it; returns the folder that ``PYTHONPATH`` needs.

    Raises:
        AssertionError: the history is not there.
    """
    command = ["git", "archive", COMMIT, *PACKAGES]
    done = subprocess.run(command, cwd=TESTS.parent, capture_output=True, check=False)
    assert done.returncode == 0, (
        f"this test needs the repository's history, back to {COMMIT}: {done.stderr.decode()}"
    )
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(directory, filter="data")
    package = directory / "path" / "tdsup"
    package.mkdir(parents=True)
    for name in PACKAGES:
        (package / name).symlink_to(directory / name)
    return package.parent


class OldProgram(Program):
    """The same as `Program`, of that version.

    Args:
        directory: as with `Program`.
        version: what `old_version` returned.
        keys: as with `Program`.
    """

    def __init__(self, directory: Path, version: Path, **keys: object) -> None:
        super().__init__(directory, **keys)
        self._version = version

    def _environment(self) -> dict[str, str]:
        return {**super()._environment(), "PYTHONPATH": str(self._version)}
