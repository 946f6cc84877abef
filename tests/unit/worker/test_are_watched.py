"""Whether a job that sleeps waits, or spins."""

from __future__ import annotations

import logging
import time
from typing import Any, cast

from tdsup.dispatcher.running.sessions import WATCHED, Sessions
from tdsup.supervisor.worker.context import WorkerContext


def test_watchers_that_vanish_together_are_heard_once() -> None:
    """What was told of the second one does not end each wait from then on."""
    context = WorkerContext(logging.getLogger("x"), cast("Any", None), lambda: None)
    sessions = Sessions(cast("Any", None), cast("Any", None), context)
    for what in WATCHED:
        context.hear({"what": what, "news": None})
    assert not sessions.are_watched()
    begun = time.monotonic()
    context.wait(0.05, for_news=WATCHED)
    assert time.monotonic() - begun >= 0.05
