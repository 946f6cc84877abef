"""The datagrams that a child sends to the master: JSON objects over a ``SOCK_SEQPACKET`` pair.

Kinds: ``hello`` (metrics, labels), ``snapshot`` (condition, reason, values), ``beat``, ``reload`` (the job's
file is to be taken up anew), ``farewell`` (reason).
Nothing is sent the other way; for the child, end of file means that the master is dead.
"""

from __future__ import annotations

import json
import select
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from tdsup.jobtype import Condition, Metric, Snapshot

from ..redact import redact

MESSAGE_LIMIT = 65536
"""Bytes of one datagram; well under the send buffer, so that a full buffer holds several."""

FAREWELL_WAIT = 500
"""Milliseconds that a child gives a busy master to take its last words."""

BURST = 100
"""Datagrams taken from one child in one go, so that none keeps the others waiting."""


def open_channel() -> tuple[socket.socket, socket.socket]:
    """A pair of sockets, neither of which ever blocks: the master's end and the child's."""
    master, child = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    master.setblocking(False)
    child.setblocking(False)
    return master, child


def receive(channel: socket.socket) -> Iterator[dict[str, Any] | None]:
    """The messages that are there now; None is the end of the channel."""
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


class Sender:
    """The child's voice; any of its threads may speak. A full channel drops messages, the newest wins.

    Args:
        channel: the child's end; None if there is no master to hear.
    """

    def __init__(self, channel: socket.socket | None) -> None:
        self._channel = channel
        self._unsent: dict[str, bytes] = {}
        self._lock = threading.Lock()

    def hello(self, metrics: Sequence[Metric], labels: Mapping[str, str]) -> None:
        """Describe the numbers that will follow."""
        self._say("hello", metrics=[asdict(metric) for metric in metrics], labels=dict(labels))

    def snapshot(self, snapshot: Snapshot) -> None:
        """Tell the condition and the numbers.

        Raises:
            ValueError: no such condition, or too large.
            TypeError: a value is nothing that JSON has.
        """
        condition = snapshot.condition
        if condition not in list(Condition):
            raise ValueError(f"no such condition: {condition!r} (there are: {', '.join(Condition)})")
        values = dict(snapshot.values)
        self._say("snapshot", condition=condition, reason=_one_line(snapshot.reason), values=values)

    def beat(self) -> None:
        """Show that the process lives; what could not be sent before goes now."""
        with self._lock:
            if not self._unsent:
                self._unsent["beat"] = b'{"kind":"beat"}'
            self._flush()

    def reload(self) -> None:
        """Ask for the job's file to be taken up anew."""
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
        message = json.dumps({"kind": kind, **content}, separators=(",", ":")).encode()
        if len(message) > MESSAGE_LIMIT:
            raise ValueError(f"a {kind} of {len(message)} bytes is over the limit of {MESSAGE_LIMIT}")
        with self._lock:
            self._unsent.pop(kind, None)
            self._unsent[kind] = message
            self._flush()

    def _flush(self) -> None:
        for kind, message in list(self._unsent.items()):
            if self._channel is not None:
                try:
                    self._channel.send(message)
                except BlockingIOError:
                    self._unsent.pop("beat", None)
                    return
                except OSError:
                    pass  # The master is gone; the lifeline sees to it.
            del self._unsent[kind]


def _one_line(text: str) -> str:
    return redact(" ".join(text.split()))
