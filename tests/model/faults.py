"""What must never be: an event twice in the target, or one passed over without a person's command."""

from __future__ import annotations

from collections.abc import Callable

from .scenario import Scenario
from .world import World

Judge = Callable[[Scenario, World], str]
"""Says what is wrong with a state; empty: nothing."""


def fault_of(scenario: Scenario, world: World) -> str:
    """What is wrong with a state of the world."""
    if world.fault:
        return world.fault
    target = world.target
    there = set(target.applied)
    if len(there) < len(target.applied):
        doubled = next(event for event in target.applied if target.applied.count(event) > 1)
        return f"event {doubled} is in the target twice"
    ticks = [target.shared] if scenario.shared else [row.tick for row in target.rows]
    for tick in ticks:
        if tick is not None:
            missing = set(tick.events) - there - world.excused
            if missing:
                return f"event {min(missing)} was skipped: the target has position {tick}"
    return ""
