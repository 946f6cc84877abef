"""The rules of the protocol, each with what it prevents.

Most keep events from being lost or doubled. Those of `ORDER` do not: without them a process works that should
not, or a job is blocked for which nothing is wrong.
"""

from __future__ import annotations

from enum import Enum


class Rule(Enum):
    """A rule; the value is its sentence."""

    HOLD_ROW = """A batch's transaction locks our row before it reads the position and holds it to the commit.
        So two of ours never load one batch, whatever each thinks of the other."""

    CHECK_EPOCH = """Under that lock the row must name this process and epoch, else nothing is loaded.
        Without it a process goes on working after another took the consumer over."""

    REWRITE_TICK = """With pgq_ext, at REPEATABLE READ, the tick is read and written again before the load.
        It fails if the original was faster, and makes it wait if it comes later."""

    OLD_KEY = """A batch's transaction holds the advisory key that the version before holds for a session.
        Else the two load one batch. With pgq_ext there is a second key, of the consumer's name alone."""

    FIRST_TICK_FIRST = """The first tick is committed into the row before the consumer is registered at it.
        Else a crash in between blocks the job, and a queue made anew passes for the old one."""

    NONE_IS_LOST = """A consumer that is registered and has no position is blocked.
        The target may be restored to before its first batch."""

    TIMES_AT_START = "A batch is next if number and time of its first tick are the position's."

    TIMES_AT_END = "A batch is there already if number and time of its last tick are the position's."

    REWIND_TIMES = """A rewind goes to the position's tick only if the queue's tick has its number and time.
        Else it passes over events, though the batch after them is refused."""

    ONLY_UNREGISTERED = """One statement looks whether the consumer is registered, and if not registers it.
        Else a statement that runs late moves the consumer back, and the job is blocked."""

    RESET_WRITES = """A reset writes the tick at which the source stands.
        If it forgot the position, the job would stay blocked."""

    NAME_CLAIM = """With pgq_ext, a row claims the consumer's name over all queues.
        Else a tick of one queue passes for one of the other."""

    SOURCE_KNOWN = """The row remembers its source, and a job that reads another one is blocked.
        Else only different times of ticks keep two sources apart."""

    TIME_OF_ITS_TICK = """With pgq_ext, our time counts only if our tick is the one there.
        Else a batch of the original blocks the job."""

    ASK_AGAIN = """A batch that does not fit the position blocks the job only if PgQ still has it open.
        Else a job that was slow to begin is blocked by a rival that has gone on."""

    @property
    def sentence(self) -> str:
        """The rule in words."""
        return " ".join(self.value.split())


ALL = frozenset(Rule)
"""Every rule."""

ORDER = frozenset({Rule.CHECK_EPOCH, Rule.ONLY_UNREGISTERED, Rule.TIME_OF_ITS_TICK, Rule.ASK_AGAIN})
"""Those without which, even without all of them, nothing is doubled and nothing lost."""
