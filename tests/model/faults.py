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

    Events from before the consumer's first tick are nobody's, and those that a person's command passed over
    are the person's.
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
    """The same; only an epoch's owner commits in it, and no job is blocked unless something was restored."""
    return exactly_once(scenario, world) or world.disorder


def silent_double(scenario: Scenario, world: World) -> str:
    """An event is there twice, and no ``finish_batch`` has answered 0."""
    if world.told or any(process.step in BUSY for process in world.processes):
        return ""
    return exactly_once(scenario, world)


def all_loaded(scenario: Scenario, world: World) -> str:
    """Not a fault but the aim: after all ticks and losses, without a command, everything is in the target."""
    left = world.left
    if left.ticks or left.losses or left.commands < scenario.left.commands or _behind(world):
        return ""
    due = {event for source in world.sources for event in source.ticks[-1].events}
    return "all is loaded" if due <= {*world.target.applied, *world.excused} else ""


def stuck(scenario: Scenario, world: World) -> str:
    """What is wrong where nothing can happen any more: a batch is there, and nobody is told why it waits."""
    told = any(process.step is Step.BLOCKED for process in world.processes)
    return "everybody waits for ever" if _behind(world) and not told and not scenario.disturbed else ""


def _behind(world: World) -> bool:
    """Whether a registered consumer is not at its queue's newest tick."""
    return any(each.subscription and each.subscription.last != each.ticks[-1] for each in world.sources)
