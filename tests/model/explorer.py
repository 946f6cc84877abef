"""Walks through every state that can be reached, the nearest first."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from . import person, process, surroundings
from .faults import Judge, exact_and_in_order, stuck
from .here import Here, Move
from .rivals import original, today
from .rules import ALL, Rule
from .scenario import Program, Scenario
from .world import Step, World

STEPS: Mapping[Program, Mapping[Step, Callable[[Here], Iterator[Move]]]] = {
    Program.NEW: process.STEPS,
    Program.TODAY: today.STEPS,
    Program.ORIGINAL: original.STEPS,
    Program.INTERLEAVED: original.STEPS,
}
"""The steps of each program."""


@dataclass(frozen=True)
class Found:
    """What an exploration found.

    Attributes:
        states: how many it looked at.
        fault: the first it met, which is among those with the fewest steps; empty: there is none at all.
        trace: what happens until there.
    """

    states: int
    fault: str
    trace: tuple[str, ...]

    def __str__(self) -> str:
        """One line for each thing that happens, the fault last."""
        lines = [f"{number:3}. {words}" for number, words in enumerate(self.trace, 1)]
        return "\n".join([*lines, f"     => {self.fault or 'no fault'} ({self.states} states)"])


def moves(scenario: Scenario, rules: frozenset[Rule], world: World) -> Iterator[Move]:
    """Everything that can happen next."""
    for index, each in enumerate(world.processes):
        here = Here(scenario, rules, world, index)
        step = STEPS[scenario.jobs[index].program].get(each.step)
        if step is not None:
            yield from step(here)
    yield from person.commands(Here(scenario, rules, world, 0))
    yield from surroundings.happenings(scenario, rules, world)


def explore(scenario: Scenario, rules: frozenset[Rule] = ALL, judge: Judge = exact_and_in_order) -> Found:
    """Visit every state of a scenario until the judge finds a fault, or all wait for ever."""
    begin = scenario.begin()
    came_from: dict[World, Move | None] = {begin: None}
    waiting = deque([begin])
    while waiting:
        world = waiting.popleft()
        ends = True
        for words, reached in moves(scenario, rules, world):
            ends = ends and reached == world
            if reached in came_from:
                continue
            came_from[reached] = (words, world)
            if fault := judge(scenario, reached):
                return Found(len(came_from), fault, _trace(came_from, reached))
            waiting.append(reached)
        if ends and (fault := stuck(scenario, world)):
            return Found(len(came_from), fault, _trace(came_from, world))
    return Found(len(came_from), "", ())


def _trace(came_from: dict[World, Move | None], world: World) -> tuple[str, ...]:
    lines = []
    while (move := came_from[world]) is not None:
        words, world = move
        lines.append(words)
    return tuple(reversed(lines))
