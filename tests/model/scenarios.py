"""The scenarios: each lets a few things happen, so that all of their orders can be walked through."""

from __future__ import annotations

from .scenario import Job, Program, Scenario
from .world import Left

NEW = Job(Program.NEW)
TODAY = Job(Program.TODAY)
ORIGINAL = Job(Program.ORIGINAL)
INTERLEAVED = Job(Program.INTERLEAVED)

OTHER_QUEUE = Job(Program.NEW, key=1, source=1)
"""With a consumer of the same name on another queue."""

OTHER_TODAY = Job(Program.TODAY, key=1, source=1)
"""The same of today's program."""

OTHER_SOURCE = Job(Program.NEW, source=1)
"""With the same names in another source, whose ticks have the same numbers and times."""

EXACT = {
    scenario.name: scenario
    for scenario in (
        Scenario("losses", (NEW,), Left(losses=3)),
        Scenario("takeover", (NEW, NEW), Left(losses=1, takeovers=1)),
        Scenario("misjudged", (NEW, NEW), Left(losses=1, misjudgements=1)),
        Scenario("misjudged twice", (NEW, NEW), Left(misjudgements=2)),
        Scenario("target restored", (NEW, NEW), Left(target_restores=1, commands=1)),
        Scenario("target restored, losses", (NEW,), Left(losses=1, target_restores=1, commands=1)),
        Scenario("source restored", (NEW, NEW), Left(source_restores=1)),
        Scenario("source restored, commands", (NEW,), Left(ticks=3, source_restores=1, commands=1)),
        Scenario("source restored, losses", (NEW,), Left(losses=1, source_restores=1)),
        Scenario("both restored", (NEW,), Left(target_restores=1, source_restores=1, commands=1)),
        Scenario("queue made anew", (NEW, NEW), Left(ticks=3, remakes=1, commands=1)),
        Scenario("anew, target restored", (NEW,), Left(target_restores=1, remakes=1, commands=1)),
        Scenario("beside today's", (NEW, TODAY), Left(ticks=3, losses=1), registered=True),
        Scenario("beside today's, at first", (NEW, TODAY), Left(losses=1), disturbed=True),
        Scenario(
            "beside the original", (NEW, ORIGINAL), Left(ticks=3, losses=1), shared=True, registered=True
        ),
        Scenario("two and the original", (NEW, NEW, ORIGINAL), Left(losses=1), shared=True, registered=True),
        Scenario("pgq_ext, today's", (NEW, TODAY), Left(losses=1), shared=True, registered=True),
        Scenario("pgq_ext, target restored", (NEW, NEW), Left(target_restores=1, commands=1), shared=True),
        Scenario(
            "pgq_ext, source restored", (NEW,), Left(ticks=3, source_restores=1, commands=1), shared=True
        ),
        Scenario("pgq_ext, anew", (NEW,), Left(losses=1, remakes=1, commands=1), shared=True),
        Scenario(
            "two queues", (NEW, OTHER_QUEUE), Left(losses=1), shared=True, registered=True, disturbed=True
        ),
        Scenario("two sources", (NEW, OTHER_SOURCE), Left(losses=1), disturbed=True),
    )
}
"""In which the rules hold, by name."""

TODAYS = {
    scenario.name: scenario
    for scenario in (
        Scenario("target restored", (TODAY,), Left(target_restores=1)),
        Scenario("source restored", (TODAY,), Left(ticks=3, source_restores=1)),
        Scenario("queue made anew", (TODAY,), Left(ticks=1, remakes=1), registered=True),
        Scenario("rewind", (TODAY,), Left(ticks=0, remakes=1, commands=1), registered=True),
        Scenario("two sources", (TODAY, Job(Program.TODAY, source=1)), Left(losses=1), disturbed=True),
        Scenario("pgq_ext, original", (TODAY, ORIGINAL), Left(), shared=True, registered=True),
        Scenario(
            "pgq_ext, two queues",
            (TODAY, OTHER_TODAY),
            Left(losses=1),
            shared=True,
            registered=True,
            disturbed=True,
        ),
        Scenario("pgq_ext, source restored", (TODAY,), Left(source_restores=1), shared=True, registered=True),
    )
}
"""In which today's program fails, by name."""

HARMLESS = Scenario("losses of today's", (TODAY, TODAY), Left(ticks=3, losses=2))
"""What today's program stands: crashes and lost connections alone."""

INSIDE = Scenario("original inside", (NEW, INTERLEAVED), Left(), shared=True, registered=True)
"""The exception: the original has read the tick, and not yet written it, when ours begins."""

UNTIMED = Scenario(
    "original before a restore", (NEW, ORIGINAL), Left(3, source_restores=1), shared=True, registered=True
)
"""The other: the original loaded last, so that nobody knows its tick's time, and the source was restored."""
