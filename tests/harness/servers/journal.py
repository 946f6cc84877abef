"""A real journald, in a mount namespace of its own."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.waiting import PATIENCE, wait_until

JOURNALD = "/lib/systemd/systemd-journald"


class Journal:
    """What a journald has been told.

    Args:
        server: its process.

    Attributes:
        within: first words of a command that runs where it listens.
    """

    def __init__(self, server: subprocess.Popen[bytes]) -> None:
        self.within = ["nsenter", f"--target={server.pid}", "--mount", "--wd=/"]

    def run_python(self, script: str) -> None:
        """Run a script where it listens."""
        subprocess.run([*self.within, sys.executable, "-c", script], check=True, timeout=PATIENCE)

    def entries(self, *matches: str) -> list[dict[str, Any]]:
        """The entries that match, as fields."""
        found = subprocess.run(
            [*self.within, "journalctl", "--output=json", "--all", "--quiet", *matches],
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
        return [json.loads(line) for line in found.stdout.splitlines()]


@contextlib.contextmanager
def journal() -> Iterator[Journal]:
    """A journald that leaves nothing behind; this needs root."""
    listens = Path("/run/systemd/journal/socket")
    script = f"mount -t tmpfs none /run && mkdir -p {listens.parent} /run/log/journal && exec {JOURNALD}"
    with subprocess.Popen(
        ["unshare", "--mount", "sh", "-c", script],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as server:
        try:
            inside = Path(f"/proc/{server.pid}/root{listens}")
            wait_until(lambda: inside.exists() or server.poll() is not None, "journald listens")
            assert server.poll() is None, "journald has not started"
            yield Journal(server)
        finally:
            server.kill()
