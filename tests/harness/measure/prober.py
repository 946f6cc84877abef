"""A client that asks a master again and again, to see whether something keeps it waiting.

It is a process of its own, so that the work of those who disturb the master does not count as the master's.
"""

from __future__ import annotations

import contextlib
import json
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from harness.programs.fleet import Fleet
from harness.waiting import wait_until


@dataclass
class Latencies:
    """Seconds that each answer took; empty until the prober has ended."""

    seconds: list[float] = field(default_factory=list)

    def share(self, share: float) -> float:
        """The seconds within which this share of the answers came."""
        return sorted(self.seconds)[min(len(self.seconds) - 1, int(share * len(self.seconds)))]

    def __str__(self) -> str:
        """Percentiles, in milliseconds."""
        told = {"p50": 0.5, "p99": 0.99, "max": 1.0}
        shares = ", ".join(f"{name} {1000 * self.share(share):.1f} ms" for name, share in told.items())
        return f"{shares} of {len(self.seconds)}"


@contextlib.contextmanager
def probed(fleet: Fleet, command: str = "version", pause: float = 0.005) -> Iterator[Latencies]:
    """Ask the fleet a command while the block runs, `pause` seconds apart.

    Yields:
        The latencies, which are filled in when the block ends.
    """
    latencies = Latencies()
    words = [sys.executable, "-m", "harness.measure.prober", command, str(pause)]
    ready = fleet.directory / "prober"
    ready.unlink(missing_ok=True)
    with subprocess.Popen(
        words,
        cwd=fleet.directory,
        env=fleet.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as prober:
        try:
            wait_until(lambda: ready.exists() or prober.poll() is not None, "the prober asks")
            yield latencies
        finally:
            said, _ = prober.communicate()
    assert prober.returncode == 0, "the prober failed"
    latencies.seconds += json.loads(said)


def _main(command: str, pause: float) -> None:
    """Ask until standard input ends, then print how long each answer took."""
    request = json.dumps({"cmd": command}).encode() + b"\n"
    seconds = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.connect("run/tdsup.sock")
        with client.makefile("rb") as replies:
            while not select.select([sys.stdin], [], [], pause)[0]:
                begun = time.monotonic()
                client.sendall(request)
                reply = replies.readline()
                seconds.append(time.monotonic() - begun)
                assert reply.startswith(b'{"ok":true'), reply[:200]
                Path("prober").touch()
    sys.stdout.write(json.dumps(seconds))


if __name__ == "__main__":
    _main(sys.argv[1], float(sys.argv[2]))
