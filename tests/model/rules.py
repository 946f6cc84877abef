"""The rules of the protocol, each with what it prevents."""

from __future__ import annotations

from enum import Enum


class Rule(Enum):
    """A rule; the value is its sentence."""

    HOLD_ROW = "A batch's transaction locks our row before it reads the position, and holds it to the commit."
    CHECK_EPOCH = "Under that lock the row must name this process and epoch."
    REWRITE_TICK = (
        "With pgq_ext, at REPEATABLE READ, the tick there is read and written again before the batch is loaded."
    )
    OLD_KEY = "Each batch try-locks the advisory key that the version before holds for a session."
    FIRST_TICK_FIRST = "The first tick is committed into the row before the consumer is registered at it."
    NONE_IS_LOST = "A consumer that is registered and has no position is blocked."
    TIMES_AT_START = "A batch fits the position if number and time of its first tick do."
    TIMES_AT_END = "A batch is there already if number and time of its last tick are the position's."
    REWIND_TIMES = "A rewind goes to the position's tick only if number and time are the queue's."
    ONLY_UNREGISTERED = "The statement that registers at the first tick moves no consumer that is registered."
    RESET_WRITES = "A reset writes the tick at which the source stands."
    NAME_CLAIM = "With pgq_ext, a row claims the consumer's name over all queues."
    SOURCE_KNOWN = "The row remembers its source; a job that reads another one is blocked."
    TIME_OF_ITS_TICK = "With pgq_ext, our time counts only if our tick is the one there."
    ASK_AGAIN = "A batch that does not fit the position blocks the job only if PgQ still has it open."


ALL = frozenset(Rule)
"""Every rule."""
