"""What a job's reports become on their way to the master."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Mapping
from typing import Any, cast

import pytest
from tdsup.jobtype import Condition, Order, Snapshot
from tdsup.supervisor.worker.context import STUCK, WatcherContext, WorkerContext


class SlowSender:
    """Takes reports; a report that a test holds back has not arrived until it is let go."""

    def __init__(self) -> None:
        self.arrived: list[int] = []
        self.begun = 0
        self.held = threading.Event()
        self.held.set()
        self.began = threading.Event()

    def snapshot(self, snapshot: Snapshot) -> None:
        """Arrive, as soon as it is let."""
        self.begun += 1
        self.began.set()
        self.held.wait(10)
        self.arrived.append(snapshot.values["events"])

    def beat(self) -> None:
        """Nothing to tell yet."""


def report(context: WorkerContext, events: int) -> None:
    """Report a number of events."""
    context.report(Snapshot(Condition.RUNNING, values={"events": events}))


def test_a_beat_never_overtakes_a_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """A counter that the master has seen does not fall, though two threads speak for the job."""
    monkeypatch.setattr("tdsup.supervisor.worker.context.PROCESS_EVERY", 0.0)
    sender = SlowSender()
    context = WorkerContext(logging.getLogger("x"), cast("Any", sender), lambda: None)
    report(context, 1)
    sender.began.clear()
    sender.held.clear()
    beat = threading.Thread(target=context.beat)
    beat.start()
    assert sender.began.wait(10)
    newer = threading.Thread(target=report, args=(context, 2))
    newer.start()
    newer.join(0.2)
    assert sender.begun == 2
    sender.held.set()
    beat.join()
    newer.join()
    assert sender.arrived == [1, 1, 2]


def test_a_report_without_news_is_not_sent() -> None:
    """The master has its numbers."""
    sender = SlowSender()
    context = WorkerContext(logging.getLogger("x"), cast("Any", sender), lambda: None)
    for _ in range(3):
        report(context, 5)
    assert sender.arrived == [5]


def test_a_beat_tells_what_is_new_and_no_more() -> None:
    """Numbers that change by themselves; all of them now and then, as those of the process grow."""
    sender, lag = Beats(), [1.0]
    context = WorkerContext(logging.getLogger("x"), cast("Any", sender), lambda: None)
    context.report(Snapshot(Condition.RUNNING, values={"events": 5}, present=lambda: {"lag": lag[0]}))
    context.beat()
    context.beat()
    lag[0] = 2.0
    context.beat()
    assert ([each["lag"] for each in sender.told], sender.beats) == ([1.0, 2.0], 2)
    assert all("cpu_seconds" in each for each in sender.told)


def test_an_order_ends_a_wait_and_is_taken_once() -> None:
    """The newest one counts; once it is taken, waits are as long as asked for."""
    context = WorkerContext(logging.getLogger("x"), cast("Any", SlowSender()), lambda: None)
    context.hear({"order": "pause"})
    context.hear({"order": "resume"})
    begun = time.monotonic()
    assert not context.wait(30)
    assert time.monotonic() - begun < 10
    assert [context.order(), context.order()] == [Order.RESUME, None]
    begun = time.monotonic()
    assert not context.wait(0.05, for_news=["target"])
    assert time.monotonic() - begun >= 0.05


def test_an_order_that_is_taken_does_not_hide_the_end() -> None:
    """A job that has been asked to end does not sleep again."""
    context = WorkerContext(logging.getLogger("x"), cast("Any", SlowSender()), lambda: None)
    context.hear({"order": "pause"})
    context.stop()
    assert context.order() is Order.PAUSE
    assert context.wait(30)


def test_news_end_a_wait_for_them_alone() -> None:
    """Once they are asked for, such a wait is as long as others; news between question and wait count."""
    context = WorkerContext(logging.getLogger("x"), cast("Any", SlowSender()), lambda: None)
    assert context.news("source") is None
    for number in (7, 7, None):
        context.hear({"what": "source", "news": number})
        begun = time.monotonic()
        assert not context.wait(0.05, for_news=["target"])
        assert time.monotonic() - begun >= 0.05
        assert not context.wait(30, for_news=["target", "source"])
        assert time.monotonic() - begun < 10
        assert context.news("source") == number
        begun = time.monotonic()
        assert not context.wait(0.05, for_news=["source"])
        assert time.monotonic() - begun >= 0.05


def test_a_job_that_waits_for_long_rests() -> None:
    """The last sign of life says so, with how much was heard; whatever ends the wait, others follow."""
    sender, woken = Beats(), threading.Event()
    context = WorkerContext(logging.getLogger("x"), cast("Any", sender), lambda: None, every=0.5)
    context.wake = woken.set
    assert not context.beat()
    context.hear({"what": "source", "news": 7})
    for news in (True, False):
        context.news("source")
        waiting = threading.Thread(target=context.wait, args=(2.0,), kwargs={"for_news": ["source"]})
        waiting.start()
        while not context.beat():
            time.sleep(0.01)
        assert not woken.is_set()
        if news:
            context.hear({"what": "source", "news": 8})
        waiting.join()
        assert woken.is_set() is not news
    assert not context.beat()
    assert sender.rests == [1, 2]


def test_a_watcher_that_is_stuck_gives_no_sign_of_life(monkeypatch: pytest.MonkeyPatch) -> None:
    """Though its lifeline lives: it hangs in a query, say."""
    now, sender = [time.monotonic()], Beats()
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    context = WatcherContext(logging.getLogger("x"), cast("Any", sender))
    context.wait(0)
    context.beat()
    now[0] += STUCK
    context.beat()
    assert sender.beats == 1
    context.wait(0)
    context.beat()
    assert sender.beats == 2


def test_a_watcher_that_waits_for_long_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    """As before it tries a lost database again."""
    now, sender = [time.monotonic()], Beats()
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    context = WatcherContext(logging.getLogger("x"), cast("Any", sender))
    reader, writer = os.pipe()
    waiting = threading.Thread(target=context.wait, args=(60.0, reader))
    waiting.start()
    time.sleep(0.1)
    now[0] += 2 * STUCK
    context.beat()
    os.write(writer, b"x")
    waiting.join()
    os.close(reader)
    os.close(writer)
    assert sender.beats == 1


class Beats:
    """Counts signs of life."""

    def __init__(self) -> None:
        self.beats = 0
        self.rests: list[int] = []
        self.told: list[Mapping[str, Any]] = []

    def snapshot(self, snapshot: Snapshot) -> None:
        """Numbers."""
        self.told.append(snapshot.values)

    def beat(self) -> None:
        """One more."""
        self.beats += 1

    def rest(self, heard: int) -> bool:
        """The last one for now."""
        self.rests.append(heard)
        return True
