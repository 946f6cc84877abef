"""How a process is asked to end."""

from __future__ import annotations

import math

from tdsup.supervisor.jobs.escalation import Action, Escalation, Timeouts

TIMEOUTS = Timeouts(heartbeat=30, stop=20, kill=5)


def test_each_signal_is_due_after_its_wait() -> None:
    """SIGINT at once, SIGTERM after `stop`, SIGKILL after `kill`, then nothing."""
    escalation, seen = Escalation(TIMEOUTS, 100), []
    while escalation.due < math.inf:
        seen.append((escalation.due, escalation.action))
        escalation = escalation.after(escalation.action, escalation.due)
    assert seen == [(100, Action.INTERRUPT), (120, Action.TERMINATE), (125, Action.KILL)]
    assert escalation.action is Action.NONE


def test_the_wait_begins_with_the_signal_that_was_sent() -> None:
    """A master that was late sends the next signal later, too."""
    late = Escalation(TIMEOUTS, 0).after(Action.INTERRUPT, 50)
    assert (late.due, late.action) == (70, Action.TERMINATE)


def test_a_kill_skips_what_comes_before_it() -> None:
    """After SIGKILL nothing is due, even if it was the first signal."""
    killed = Escalation(TIMEOUTS, 0).after(Action.KILL, 1)
    assert (killed.due, killed.action, killed.sent) == (math.inf, Action.NONE, 3)
