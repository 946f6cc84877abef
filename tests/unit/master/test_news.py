"""What watchers have told of a job, and what its process knows of it."""

from __future__ import annotations

from tdsup.supervisor.master.news import News
from tdsup.supervisor.worker import open_channel, receive


def test_each_thing_is_told_once_to_each_process() -> None:
    """The newest number; a new process knows nothing."""
    master, child = open_channel()
    with master, child:
        news = News()
        for number in (5, 5, 6):
            news.set("source", number)
            news.give(master)
        news.set("target", 7)
        news.give(master)
        told = [{"what": "source", "news": 5}, {"what": "source", "news": 6}, {"what": "target", "news": 7}]
        assert list(receive(child)) == told
        news.begin()
        news.give(master)
        assert list(receive(child)) == told[1:]


def test_a_watcher_that_begins_takes_nothing_back() -> None:
    """It may tell news before it says that it looks; and what the one before it told is still true."""
    master, child = open_channel()
    with master, child:
        news = News()
        for number in (0, 5, 0, None, 6, 0):
            news.set("source", number)
            news.give(master)
        assert [message["news"] for message in receive(child) if message] == [0, 5, None, 6]
