"""What must never be: an event twice in the target, or one passed over without a person's command."""

from __future__ import annotations

from collections.abc import Callable

from .scenario import Scenario
from .world import Step, World

Judge = Callable[[Scenario, World], str]
"""Says what is wrong with a state of the world; empty: nothing."""

BUSY = frozenset({Step.REWRITE, Step.WORK, Step.COMMIT, Step.FINISH})
"""Where a process has not yet heard whether it finished its batch."""


def exactly_once(scenario: Scenario, world: World) -> str:
    """No event is in the target twice, and every event up to the target's position is in it.

    Events from before the consumer's first tick are nobody's, and those that a person's command passed over are the
    person's.
    """
    if world.fault:
        return world.fault
    target = world.target
    there = set(target.applied)
    if len(there) < len(target.applied):
        doubled = next(event for event in target.applied if target.applied.count(event) > 1)
        return f"event {doubled} is in the target twice"
    for tick in [target.shared] if scenario.shared else [row.tick for row in target.rows]:
        missing = set(tick.events) - there - world.excused if tick is not None else None
        if missing:
            return f"event {min(missing)} was skipped: the target has position {tick}"
    return ""


def exact_and_in_order(scenario: Scenario, world: World) -> str:
    """The same; and only an epoch's owner commits in it, and no job is blocked without a restore or the like."""
    return exactly_once(scenario, world) or world.disorder


def silent_double(scenario: Scenario, world: World) -> str:
    """An event is there twice, and no ``finish_batch`` has answered 0."""
    if world.told or any(process.step in BUSY for process in world.processes):
        return ""
    return exactly_once(scenario, world)


def all_loaded(_scenario: Scenario, world: World) -> str:
    """No fault: every source's consumer is at the newest of all ticks, and the target has every event since its start."""
    if any(world.left):
        return ""
    for source in world.sources:
        newest = source.ticks[-1]
        if source.subscription is None or source.subscription.last != newest:
            return ""
        if not set(newest.events) <= {*world.target.applied, *world.excused}:
            return ""
    return "all is loaded"


def stuck(world: World) -> str:
    """What is wrong where nothing can happen any more: a batch is there, and nobody is told why it is not loaded."""
    if any(process.step is Step.BLOCKED for process in world.processes):
        return ""
    behind = [each for each in world.sources if each.subscription and each.subscription.last != each.ticks[-1]]
    return "everybody waits for ever" if behind else ""
