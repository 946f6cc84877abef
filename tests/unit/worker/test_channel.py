"""What a child tells the master, and the other way."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import cast

import pytest
from tdsup.jobtype import Condition, Order, Snapshot
from tdsup.supervisor.worker.channel import BURST, Sender, give, open_channel, receive, tell


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, Sender]]:
    """The master's end, and a sender at the child's."""
    master, child = open_channel()
    with master, child:
        yield master, Sender(child)


def test_messages_arrive_as_they_were_sent(pair: tuple[socket.socket, Sender]) -> None:
    """One datagram, one message; texts are one line and hold no password."""
    master, sender = pair
    sender.hello([], {"queue": "q"})
    sender.snapshot(Snapshot(Condition.RETRYING, "no\nway password=hunter2", {"events": 1}))
    assert list(receive(master)) == [
        {"kind": "hello", "metrics": [], "labels": {"queue": "q"}},
        {
            "kind": "snapshot",
            "condition": "retrying",
            "reason": "no way password=********",
            "values": {"events": 1},
            "totals": [],
            "unwritten": False,
        },
    ]


def test_a_full_channel_drops_old_news_and_keeps_the_newest(pair: tuple[socket.socket, Sender]) -> None:
    """A child never waits for the master; the next beat carries what was left."""
    master, sender = pair
    for number in range(10000):
        sender.snapshot(Snapshot(Condition.RUNNING, "", {"events": number}))
    received = []
    while batch := list(receive(master)):
        assert len(batch) <= BURST
        received += batch
    assert 10 < len(received) < 9999
    sender.beat()
    sender.beat()
    newest, beat = receive(master)
    assert newest is not None
    assert (newest["values"], beat) == ({"events": 9999}, {"kind": "beat"})


def test_a_dead_peer_is_the_end(pair: tuple[socket.socket, Sender]) -> None:
    """For the master it is None; a child goes on without an error."""
    master, sender = pair
    master.close()
    sender.snapshot(Snapshot(Condition.RUNNING))
    sender.farewell("bye")
    other, child = open_channel()
    with other:
        child.close()
        assert list(receive(other)) == [None]


def test_a_report_that_cannot_be_is_an_error(pair: tuple[socket.socket, Sender]) -> None:
    """A job type's defect shows in the job, not in the master."""
    _master, sender = pair
    with pytest.raises(ValueError, match="no such condition: 'sleepy'"):
        sender.snapshot(Snapshot(cast("Condition", "sleepy")))
    with pytest.raises(ValueError, match="over the limit"):
        sender.snapshot(Snapshot(Condition.RUNNING, "x" * 70000))


def test_an_order_goes_the_other_way() -> None:
    """And is lost without a fault if nobody is there to take it."""
    master, child = open_channel()
    with master:
        with child:
            give(master, Order.PAUSE)
            assert list(receive(child)) == [{"order": "pause"}]
        give(master, Order.RESUME)


def test_news_go_both_ways(pair: tuple[socket.socket, Sender]) -> None:
    """A watcher tells the master, and that the jobs; what had no room comes later, together."""
    master, sender = pair
    sender.news({"orders": 7})
    assert list(receive(master)) == [{"kind": "news", "jobs": {"orders": 7}}]
    for _ in range(5000):
        sender.news({"orders": 8})
    sender.news({"clicks": 9})
    while list(receive(master)):
        pass
    sender.beat()
    assert list(receive(master)) == [{"kind": "news", "jobs": {"orders": 8, "clicks": 9}}]


def test_news_without_room_are_owed() -> None:
    """The master tries again later; a dead child needs none."""
    master, child = open_channel()
    with master:
        with child:
            while tell(master, "source", 5):
                pass
            while list(receive(child)):
                pass
            assert tell(master, "source", None)
            assert list(receive(child)) == [{"what": "source", "news": None}]
        assert tell(master, "source", 6)
