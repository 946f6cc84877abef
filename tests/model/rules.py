"""The rules of the protocol, each with what it prevents.

Eleven keep events from being doubled or lost. Four keep order: without them nothing is doubled and nothing lost, but a
process works that should not, or a job is blocked for which nothing is wrong.
"""

from __future__ import annotations

from enum import Enum


class Rule(Enum):
    """A rule; the value is its sentence."""

    HOLD_ROW = (
        "A batch's transaction locks our row before it reads the position and holds it to the commit: "
        "two of ours never load one batch, whatever they think of each other."
    )
    CHECK_EPOCH = (
        "Under that lock the row must name this process and epoch, else nothing is loaded. Exactly once never needs "
        "it; without it a process goes on working after another took the consumer over."
    )
    REWRITE_TICK = (
        "With pgq_ext, at REPEATABLE READ, the tick is read and written again before the batch is loaded: it fails if "
        "the original was faster, and makes it wait if it comes later."
    )
    OLD_KEY = "A batch's transaction holds the advisory key that the version before holds for a session."
    FIRST_TICK_FIRST = (
        "The first tick is committed into the row before the consumer is registered at it. Without it a crash in "
        "between blocks the job, and the first batch of a queue made anew passes for that of the old one."
    )
    NONE_IS_LOST = "A consumer that is registered and has no position is blocked: the target may be restored."
    TIMES_AT_START = "A batch is next if number and time of its first tick are the position's."
    TIMES_AT_END = "A batch is there already if number and time of its last tick are the position's."
    REWIND_TIMES = (
        "A rewind goes to the position's tick only if number and time are the queue's. Else it passes over events, "
        "though the batch after them is refused."
    )
    ONLY_UNREGISTERED = (
        "One statement looks whether the consumer is registered and registers it at its first tick. Exactly once "
        "never needs it; without it a late statement moves the consumer back, and blocks the job."
    )
    RESET_WRITES = "A reset writes the tick at which the source stands. If it forgot the position the job would stay blocked."
    NAME_CLAIM = "With pgq_ext, a row claims the consumer's name over all queues."
    SOURCE_KNOWN = (
        "The row remembers its source, and a job that reads another one is blocked. Without it only different times "
        "of ticks keep two sources apart."
    )
    TIME_OF_ITS_TICK = (
        "With pgq_ext, our time counts only if our tick is the one there. Exactly once never needs it; without it a "
        "batch of the original blocks the job."
    )
    ASK_AGAIN = (
        "A batch that does not fit blocks the job only if PgQ still has it open. Exactly once never needs it; without "
        "it a job that was slow to begin is blocked by a rival that has gone on."
    )


ALL = frozenset(Rule)
"""Every rule."""

ORDER = frozenset({Rule.CHECK_EPOCH, Rule.ONLY_UNREGISTERED, Rule.TIME_OF_ITS_TICK, Rule.ASK_AGAIN})
"""Those without which nothing is doubled and nothing lost."""
