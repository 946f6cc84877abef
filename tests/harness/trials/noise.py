"""Clients of the control socket that send nonsense."""

from __future__ import annotations

import contextlib
import json
import random
import socket
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.measure import timed_master
from harness.measure.prober import probed
from harness.measure.vitals import vitals
from harness.programs.fleet import Fleet, fleet
from harness.waiting import wait_until

JOBS = ("orders", "clicks", "payments")

LONG = 10_000_000
"""Bytes in a line that is far too long."""

HELD = 200
"""How many connections with half a line are open at a time."""

QUIET = 3.0
"""Seconds during which the fleet is asked before the noise."""

GROWTH = 16384
"""KiB by which the master may grow: what its connections, each within its limits, hold at a time."""

WORDS = ["", "cmd", "args", "job", "status", "reload", "metrics", "version", "a", "x" * 1000, "\ud800", "%s"]
"""What requests are made of; the commands among them change nothing."""


def run(directory: Path, times: int, within: float = 0.05) -> str:
    """Noisy clients do no harm, and nothing they send occupies the master for long.

    `within` is the limit: seconds of processor time for one callback of its loop. What another client sees,
    before and during the noise, is reported but not judged: the noise makers use the same processors.
    """
    with fleet(directory) as a_fleet:
        timed_master.use(a_fleet)
        for name in JOBS:
            a_fleet.write_job(name)
        a_fleet.start()
        a_fleet.wait_all()
        wait_until(lambda: a_fleet.status()["web"], "the web child listens")
        master, children = a_fleet.pid, sorted(a_fleet.children())
        before = vitals(master)
        with probed(a_fleet) as quiet:
            time.sleep(QUIET)
        with probed(a_fleet) as noisy:
            _make_noise(a_fleet, times)
        after = vitals(master)
        assert sorted(a_fleet.children()) == children
        assert [job["restarts"] for job in a_fleet.status()["jobs"]] == [0] * len(JOBS)
        wait_until(lambda: vitals(master).descriptors <= before.descriptors, "the connections are closed")
        assert after.resident - before.resident <= GROWTH, f"{before} became {after}"
        assert "a defect of tdsup" not in a_fleet.log()
        a_fleet.stop()
        longest = timed_master.read(a_fleet)
    assert longest.seconds < within, f"{longest} is over the limit of {within} s"
    return (
        f"{times} clients, longest of {longest.calls} callbacks {1000 * longest.seconds:.1f} ms of CPU "
        f"({longest.what}), another client {noisy}, before {quiet}; "
        f"memory {before.resident} KiB before, {after.resident} KiB after"
    )


@dataclass
class _Noise:
    """Makes noise; keeps some connections open."""

    fleet: Fleet
    chance: random.Random
    held: deque[socket.socket] = field(default_factory=deque)

    def random_bytes(self) -> None:
        """Random bytes, with or without an end of line, with or without waiting for a reply."""
        with self.fleet.connect() as client:
            client.sendall(self.chance.randbytes(self.chance.randrange(5000)))
            if self.chance.random() < 0.5:
                client.sendall(b"\n")
                client.recv(100)

    def long_line(self) -> None:
        """An endless line: it is refused, or the connection is closed before it ends."""
        with self.fleet.connect() as client, contextlib.suppress(BrokenPipeError, ConnectionResetError):
            client.sendall(b"x" * LONG)
            assert b"longer than" in client.recv(1000)

    def half_line(self) -> None:
        """Half a request; the connection stays open."""
        client = self.fleet.connect()
        client.sendall(b'{"cmd":"status","args":{'[: self.chance.randrange(1, 24)])
        self.held.append(client)
        if len(self.held) > HELD:
            self.held.popleft().close()

    def wrong_types(self) -> None:
        """Any JSON in any place: each line gets one answer."""
        lines = [json.dumps(self._request()).encode() for _ in range(self.chance.randrange(1, 20))]
        with self.fleet.connect() as client, client.makefile("rb") as replies:
            client.sendall(b"\n".join(lines) + b"\n")
            for line in lines:
                reply = json.loads(replies.readline())
                assert reply["ok"] or reply["error"]["code"] in {"bad-request", "unknown-job"}, (line, reply)

    def large_words(self) -> None:
        """Requests of the greatest length: nesting, digits, names."""
        line = self.chance.choice((b"[" * 60000, b"1" * 60000, b'{"cmd":"%s"}' % (b"statu" * 12000)))
        with self.fleet.connect() as client:
            client.sendall(line + b"\n")
            assert b"bad-request" in client.recv(1000)

    def flood(self) -> None:
        """Thousands of requests from a client that reads no answer and hangs up."""
        with self.fleet.connect() as client:
            client.setblocking(False)
            request = self.chance.choice((b"\n", b'{"cmd":"status"}\n', b'{"cmd":"metrics"}\n'))
            with contextlib.suppress(BlockingIOError):
                for _ in range(50):
                    client.send(request * 1000)

    def pipeline(self) -> None:
        """Hundreds of requests in one write, from a client that reads all answers."""
        count = self.chance.randrange(100, 300)
        with self.fleet.connect() as client, client.makefile("rb") as replies:
            client.sendall(b'{"cmd":"status"}\n' * count)
            client.shutdown(socket.SHUT_WR)
            assert sum(json.loads(line)["ok"] for line in replies) == count

    def _request(self) -> Any:
        kind = self.chance.random()
        if kind < 0.2:
            return self._value(3)
        name = self.chance.choice(WORDS) if kind < 0.8 else self._value(1)
        return {"cmd": name, "args": {self.chance.choice(WORDS): self._value(2)}}

    def _value(self, depth: int) -> Any:
        """Any JSON value."""
        kinds: list[Callable[[], Any]] = [
            lambda: self.chance.choice(WORDS),
            lambda: self.chance.choice((None, True, -1, 0.5, 10**40, float("nan"), float("inf"))),
        ]
        if depth:
            kinds += [
                lambda: [self._value(depth - 1) for _ in range(self.chance.randrange(4))],
                lambda: {self.chance.choice(WORDS): self._value(depth - 1) for _ in range(3)},
            ]
        return self.chance.choice(kinds)()


def _make_noise(a_fleet: Fleet, times: int) -> None:
    noise = _Noise(a_fleet, random.Random(1))  # noqa: S311 (repeatable noise)
    kinds = (
        noise.random_bytes,
        noise.long_line,
        noise.half_line,
        noise.half_line,
        noise.wrong_types,
        noise.wrong_types,
        noise.large_words,
        noise.flood,
        noise.pipeline,
    )
    try:
        for _ in range(times):
            noise.chance.choice(kinds)()
    finally:
        for client in noise.held:
            client.close()
