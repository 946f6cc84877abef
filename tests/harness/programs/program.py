"""``table_dispatcher INI``: one job as one process, without a fleet."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from harness.paths import TABLE_DISPATCHER
from harness.rows.orders import DISPATCHER
from harness.waiting import PATIENCE, wait_until


def write_job(directory: Path, keys: Mapping[str, object]) -> None:
    """Write ``job.ini``; ``%`` in values is doubled. The directory is made if need be."""
    directory.mkdir(parents=True, exist_ok=True)
    lines = [f"{key} = {str(value).replace('%', '%%')}" for key, value in keys.items()]
    (directory / "job.ini").write_text("\n".join([f"[{DISPATCHER}]", *lines, ""]), encoding="utf-8")


class Program:
    """The program running in a directory; when the context ends it is killed if it still lives.

    Args:
        directory: where its file and its log are; created if needed.
        keys: what its file says.
    """

    def __init__(self, directory: Path, **keys: object) -> None:
        write_job(directory, keys)
        self._directory = directory

    def __enter__(self) -> Self:
        with (self._directory / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [TABLE_DISPATCHER, "job.ini"],
                cwd=self._directory,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait(PATIENCE)

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "PYTHONWARNINGS": "error"}

    @property
    def log(self) -> str:
        """Its log so far."""
        return (self._directory / "log").read_text(encoding="utf-8")

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def wait_says(self, text: str, timeout: float = PATIENCE) -> None:
        """Wait until its log contains a text."""
        try:
            wait_until(lambda: text in self.log or self._process.poll() is not None, text, timeout)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log}") from error
        assert text in self.log, f"it ended: {self.log}"

    def stop(self) -> float:
        """End it with SIGINT; it must exit with status 0. Returns the seconds that took."""
        started = time.monotonic()
        self.send(signal.SIGINT)
        code = self._process.wait(PATIENCE)
        seconds = time.monotonic() - started
        assert code == 0, self.log
        return seconds
