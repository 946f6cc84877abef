"""What a person does: rewind, reset, take over.

Each command is one step; all but the last need a consumer that nobody works for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from . import pgq
from .here import Here, Move
from .process import position
from .rules import Rule
from .world import Process, Step, Subscription, Tick, World, sessions


def commands(here: Here) -> Iterator[Move]:
    """The commands that may be given now for the job of a process, the first of its consumer."""
    row, left = here.row, here.world.left
    working = [each for each in sessions(here.world) if here.scenario.jobs[each.owner].key == here.job.key]
    owners = [each for each in working if each.epoch and (each.owner, each.epoch) == (row.owner, row.epoch)]
    if owners and left.takeovers:
        yield _take_over(here)
    if left.commands and not owners and not any(each.has_row or each.has_key for each in working):
        yield from _rewind(here)
        yield _reset(here)


def _take_over(here: Here) -> Move:
    """``tdsup takeover`` ends the sessions of the owner."""
    row, world = here.row, here.world
    owner = (row.owner, row.epoch)
    processes = tuple(
        process._replace(session=None)
        if process.session is not None and (process.session.owner, process.session.epoch) == owner
        else process
        for process in world.processes
    )
    return f"a person ends the sessions of {'ABC'[row.owner or 0]}", world._replace(
        processes=processes,
        orphans=frozenset(each for each in world.orphans if (each.owner, each.epoch) != owner),
        left=world.left._replace(takeovers=world.left.takeovers - 1),
    )


def _rewind(here: Here) -> Iterator[Move]:
    """Back to the position's tick.

    REWIND_TIMES: only if the queue's tick of that number has the position's time. A rewind that passes over
    events is a fault, for it promises to load again.
    """
    at = position(here)
    tick = None if at is None else pgq.find_tick(here.source, at.number)
    if at is None or tick is None or not at.is_at(tick, Rule.REWIND_TIMES in here.rules):
        return
    source = pgq.register_at(here.source, tick.number)
    assert source is not None
    world = here.with_source(source)
    if not {*tick.events} <= {*world.target.applied, *world.excused}:
        world = world._replace(fault=f"a rewind to {tick} passes over events that the target has not")
    yield f"a person rewinds to {tick}", _restarted(world)


def _reset(here: Here) -> Move:
    """From now on the target is what the source says: whatever that skips or doubles is the person's.

    RESET_WRITES: it writes the tick at which the source stands. Without it the position is forgotten.
    """
    tick, world = _registration(here)
    written = tick if Rule.RESET_WRITES in here.rules else None
    world = replace(here, world=world).with_row(here.row._replace(tick=written, fresh=False))
    # To the judge the target holds what the person says it holds.
    target = world.target._replace(
        shared=written if here.scenario.shared else None, applied=tuple(sorted(tick.events))
    )
    # Whoever is still to finish a batch from before may move the source once more.
    disturbed = bool(world.late) or any(process.batch is not None for process in world.processes)
    verb = "resets" if here.source.subscription else "registers"
    return f"a person {verb} at {tick}", _restarted(world._replace(target=target, disturbed=disturbed))


def _registration(here: Here) -> tuple[Tick, World]:
    """Where the source stands; where the consumer is not registered, it is now, at the newest tick."""
    subscription = here.source.subscription
    if subscription is not None:
        return subscription.last, here.world
    newest = pgq.newest_tick(here.source)
    return newest, here.with_source(here.source._replace(subscription=Subscription(newest)))


def _restarted(world: World) -> World:
    """Blocked jobs try again."""
    processes = tuple(Process() if process.step is Step.BLOCKED else process for process in world.processes)
    left = world.left._replace(commands=world.left.commands - 1)
    return world._replace(processes=processes, left=left)
