"""The datagrams between a child and the master: JSON objects over a ``SOCK_SEQPACKET`` pair.

A child sends, by kind: ``hello`` (metrics, labels), ``snapshot`` (condition, reason, values, totals,
unwritten), ``beat``, ``rest`` (no beat comes until something happens; how many messages it has ``heard``),
``reload`` (read the job's file again), ``farewell`` (reason); a watcher also ``news`` and ``note`` (of jobs).
The master sends ``order`` (an `Order`) and ``news`` (a number, or null: nobody
watches) with ``what`` is watched. For the child, end of file means that the master is dead.
"""

from __future__ import annotations

import json
import select
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from itertools import islice
from typing import Any

from tdsup.jobtype import Condition, Metric, Order, Snapshot

from ..redact import redact

MESSAGE_LIMIT = 65536
"""Bytes of one datagram: far less than the send buffer, so that it holds several."""

FAREWELL_WAIT = 500
"""Milliseconds that a child waits for a busy master to take its last words."""

AT_ONCE = 100
"""Jobs of which one message tells news."""

BURST = 100
"""Datagrams taken from one child at a time, so that it does not keep the others waiting."""


def open_channel() -> tuple[socket.socket, socket.socket]:
    """A pair of sockets that never block: the master's end and the child's."""
    master, child = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    master.setblocking(False)
    child.setblocking(False)
    return master, child


def receive(channel: socket.socket) -> Iterator[dict[str, Any] | None]:
    """The messages that have arrived; None means the end of the channel."""
    for _ in range(BURST):
        try:
            datagram = channel.recv(MESSAGE_LIMIT)
        except BlockingIOError:
            return
        except OSError:
            datagram = b""
        if not datagram:
            yield None
            return
        yield json.loads(datagram)


def give(channel: socket.socket, order: Order) -> None:
    """Send an order to a child; one that cannot take it is dead, or will be killed for its silence."""
    with suppress(OSError):
        channel.send(json.dumps({"order": order}).encode())


def tell(channel: socket.socket, what: str, news: int | None) -> bool:
    """Tell a child the news of what is watched for it; returns whether there was room."""
    try:
        channel.send(json.dumps({"what": what, "news": news}).encode())
    except BlockingIOError:
        return False
    except OSError:
        pass  # It is dead, which the master sees elsewhere.
    return True


class Sender:
    """Sends the child's messages; any of its threads may call it.

    While the channel is full, only the newest message of each kind is kept.

    Args:
        channel: the child's end; None without a master.
    """

    def __init__(self, channel: socket.socket | None) -> None:
        self._channel = channel
        self._unsent: dict[str, bytes] = {}
        self._news: dict[str, int] = {}
        self._lock = threading.Lock()

    def hello(self, metrics: Sequence[Metric], labels: Mapping[str, str]) -> None:
        """Describe the numbers that will follow."""
        self._say("hello", metrics=[asdict(metric) for metric in metrics], labels=dict(labels))

    def snapshot(self, snapshot: Snapshot) -> None:
        """Tell the condition and the numbers.

        Raises:
            ValueError: there is no such condition, or the message is too large.
            TypeError: JSON has no such value.
        """
        condition = snapshot.condition
        if condition not in list(Condition):
            raise ValueError(f"no such condition: {condition!r} (there are: {', '.join(Condition)})")
        values = dict(snapshot.values)
        others = {"totals": sorted(snapshot.totals), "unwritten": snapshot.unwritten}
        self._say("snapshot", condition=condition, reason=_one_line(snapshot.reason), values=values, **others)

    def beat(self) -> bool:
        """Show that the process lives, and send what could not be sent before; False: it will go on."""
        with self._lock:
            if not (self._unsent or self._news):
                self._unsent["beat"] = b'{"kind":"beat"}'
            self._flush()
        return False

    def rest(self, heard: int) -> bool:
        """Say that no beat comes until something happens; returns whether that was said.

        Args:
            heard: how many messages the process has taken.
        """
        with self._lock:
            if not (self._unsent or self._news):
                return self._send(_encoded("rest", heard=heard))
            # What had to wait comes first.
            self._flush()
            return False

    def news(self, news: Mapping[str, int]) -> None:
        """Tell news of jobs."""
        with self._lock:
            self._news |= news
            self._flush()

    def note(self, values: Mapping[str, Mapping[str, Any]]) -> None:
        """Tell numbers of jobs."""
        self._say("note", jobs={name: dict(each) for name, each in values.items()})

    def reload(self) -> None:
        """Ask the master to reload the job."""
        self._say("reload")

    def farewell(self, reason: str) -> None:
        """Tell why the process ends."""
        if self._channel is not None:
            self._say("farewell", reason=_one_line(reason))
            poller = select.poll()
            poller.register(self._channel, select.POLLOUT)
            while self._unsent and poller.poll(FAREWELL_WAIT):
                with self._lock:
                    self._flush()

    def _say(self, kind: str, **content: Any) -> None:
        message = _encoded(kind, **content)
        if len(message) > MESSAGE_LIMIT:
            raise ValueError(f"a {kind} of {len(message)} bytes is over the limit of {MESSAGE_LIMIT}")
        with self._lock:
            self._unsent.pop(kind, None)
            self._unsent[kind] = message
            self._flush()

    def _flush(self) -> None:
        for kind, message in list(self._unsent.items()):
            if not self._send(message):
                self._unsent.pop("beat", None)
                return
            del self._unsent[kind]
        while self._news:
            part = dict(islice(self._news.items(), AT_ONCE))
            if not self._send(_encoded("news", jobs=part)):
                return
            for name in part:
                del self._news[name]

    def _send(self, message: bytes) -> bool:
        """Send a message; returns False if there is no room."""
        if self._channel is not None:
            try:
                self._channel.send(message)
            except BlockingIOError:
                return False
            except OSError:
                pass  # The master is gone; the lifeline deals with that.
        return True


def _encoded(kind: str, **content: Any) -> bytes:
    return json.dumps({"kind": kind, **content}, separators=(",", ":")).encode()


def _one_line(text: str) -> str:
    return redact(" ".join(text.split()))
