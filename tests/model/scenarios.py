"""The scenarios: each lets a few things happen, so that all of their orders can be walked through."""

from __future__ import annotations

from .scenario import Job, Program, Scenario
from .world import Left

NEW = Job(Program.NEW)
TODAY = Job(Program.TODAY)
ORIGINAL = Job(Program.ORIGINAL)
INTERLEAVED = Job(Program.INTERLEAVED)
QUEUE2 = Job(Program.NEW, key=1, source=1)

SCENARIOS = (
    Scenario("losses of one", (NEW,), Left(losses=3)),
    Scenario("losses of two", (NEW, NEW), Left(losses=1, takeovers=1)),
    Scenario("misjudged", (NEW, NEW), Left(losses=1, misjudgements=1)),
    Scenario("misjudged twice", (NEW, NEW), Left(misjudgements=2)),
    Scenario("target restored", (NEW, NEW), Left(target_restores=1, commands=1)),
    Scenario("target restored, losses", (NEW,), Left(losses=2, target_restores=1, commands=1)),
    Scenario("source restored", (NEW, NEW), Left(losses=1, source_restores=1)),
    Scenario("source restored, command", (NEW,), Left(ticks=3, losses=1, source_restores=1, commands=1)),
    Scenario("both restored", (NEW,), Left(target_restores=1, source_restores=1, commands=1)),
    Scenario("queue made anew", (NEW, NEW), Left(ticks=3, remakes=1, commands=1)),
    Scenario("anew, target restored", (NEW,), Left(ticks=3, target_restores=1, remakes=1, commands=1)),
    Scenario("today beside", (NEW, TODAY), Left(ticks=3, losses=1), registered=True),
    Scenario("today beside, at first", (NEW, TODAY), Left(losses=1), disturbed=True),
    Scenario("original beside", (NEW, ORIGINAL), Left(ticks=3, losses=1), shared=True, registered=True),
    Scenario("two beside original", (NEW, NEW, ORIGINAL), Left(losses=1), shared=True, registered=True),
    Scenario("pgq_ext, today beside", (NEW, TODAY), Left(losses=1), shared=True, registered=True),
    Scenario("pgq_ext, target restored", (NEW, NEW), Left(target_restores=1, commands=1), shared=True),
    Scenario("pgq_ext, source restored", (NEW,), Left(ticks=3, source_restores=1, commands=1), shared=True),
    Scenario("pgq_ext, anew", (NEW,), Left(ticks=3, losses=1, remakes=1, commands=1), shared=True),
    Scenario("two queues", (NEW, QUEUE2), Left(losses=1), shared=True, registered=True, disturbed=True),
    Scenario("two sources", (NEW, Job(Program.NEW, 0, 1)), Left(ticks=3, losses=1), disturbed=True),
)
"""In which the rules hold."""
