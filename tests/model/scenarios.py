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
        Scenario("beside the original", (NEW, ORIGINAL), Left(ticks=3, losses=1), shared=True, registered=True),
        Scenario("two beside the original", (NEW, NEW, ORIGINAL), Left(losses=1), shared=True, registered=True),
        Scenario("pgq_ext, today's", (NEW, TODAY), Left(losses=1), shared=True, registered=True),
        Scenario("pgq_ext, target restored", (NEW, NEW), Left(target_restores=1, commands=1), shared=True),
        Scenario("pgq_ext, source restored", (NEW,), Left(ticks=3, source_restores=1, commands=1), shared=True),
        Scenario("pgq_ext, anew", (NEW,), Left(losses=1, remakes=1, commands=1), shared=True),
        Scenario("two queues", (NEW, OTHER_QUEUE), Left(losses=1), shared=True, registered=True, disturbed=True),
        Scenario("two sources", (NEW, OTHER_SOURCE), Left(losses=1), disturbed=True),
    )
}
"""In which the rules hold, by name."""
