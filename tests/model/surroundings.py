"""What happens to the processes: ticks, crashes, lost connections, restores."""

from __future__ import annotations

from collections.abc import Iterator

from . import pgq
from .here import Move, commit
from .rules import Rule
from .scenario import Scenario
from .world import Late, Process, Source, Step, World

RESTING = frozenset({Step.CONNECT, Step.CLAIM, Step.BLOCKED})
"""Where a process has nothing to lose."""


def happenings(scenario: Scenario, rules: frozenset[Rule], world: World) -> Iterator[Move]:
    """Everything that may happen now."""
    yield from _ticks(world)
    yield from _losses(scenario, world)
    yield from _orphans(scenario, world)
    yield from _late_statements(world, Rule.ONLY_UNREGISTERED in rules)
    yield from _target_restores(world)
    yield from _source_restores(world)


def _ticks(world: World) -> Iterator[Move]:
    if world.left.ticks:
        left = world.left._replace(ticks=world.left.ticks - 1)
        for name, source in enumerate(world.sources):
            ticked = pgq.tick(source, name)
            words = f"queue {name + 1} has an event and tick {pgq.newest_tick(ticked)}"
            yield words, _with_source(world, name, ticked)._replace(left=left)


def _losses(scenario: Scenario, world: World) -> Iterator[Move]:
    """A process crashes, or loses its connections and keeps its epoch; its session may live on."""
    if not world.left.losses:
        return
    left = world.left._replace(losses=world.left.losses - 1)
    for index, process in enumerate(world.processes):
        if process.step in RESTING:
            continue
        session = process.session
        orphans = world.orphans
        if session is not None:
            orphans = orphans | {session._replace(will_commit=process.step is Step.COMMIT)}
        late = _unanswered(process, scenario.jobs[index].source)
        for epoch in {0, process.epoch}:
            lost = _with_process(world, index, Process(epoch=epoch))._replace(left=left, orphans=orphans)
            words = f"{'ABC'[index]} {'loses its connections' if epoch else 'crashes'}"
            yield words, lost
            if late is not None:
                yield f"{words}; its last statement is on its way", lost._replace(late=lost.late | {late})


def _unanswered(process: Process, source: int) -> Late | None:
    """The statement to the source that it may have sent."""
    if process.step is Step.FINISH and process.batch is not None:
        return Late(source, batch=process.batch.id)
    if process.step is Step.REGISTER:
        return Late(source, tick=process.newest)
    return None


def _orphans(scenario: Scenario, world: World) -> Iterator[Move]:
    """A session without a client executes what it was sent, or ends."""
    for session in sorted(world.orphans, key=repr):
        rest = world.orphans - {session}
        name = "ABC"[session.owner]
        if session.will_commit:
            done = commit(scenario, world, session)
            alone = session._replace(transaction=None, will_commit=False)
            yield f"the lost session of {name} commits", done._replace(orphans=rest | {alone})
        yield f"the lost session of {name} ends", world._replace(orphans=rest)


def _late_statements(world: World, only_unregistered: bool) -> Iterator[Move]:
    for late in sorted(world.late, key=repr):
        source = world.sources[late.source]
        ran: Source | None
        if late.tick is None:
            words, ran = "a finish_batch runs late", pgq.finish_batch(source, late.batch)
        elif only_unregistered and source.subscription is not None:
            words, ran = "a registration runs late, and does nothing", None
        else:
            words, ran = "a registration runs late", pgq.register_at(source, late.tick.number)
        yield words, _with_source(world, late.source, ran or source)._replace(late=world.late - {late})


def _target_restores(world: World) -> Iterator[Move]:
    """One backup at any moment, and its restore at any later one: to any earlier state."""
    if not world.left.target_restores:
        return
    if world.target_backup is None:
        yield "a backup of the target is made", world._replace(target_backup=world.target)
    elif world.target_backup != world.target:
        yield (
            "the target is restored",
            world._replace(
                target=world.target_backup,
                target_backup=None,
                left=world.left._replace(target_restores=world.left.target_restores - 1),
                processes=tuple(process._replace(session=None) for process in world.processes),
                orphans=frozenset(),
                disturbed=True,
            ),
        )


def _source_restores(world: World) -> Iterator[Move]:
    """The same for the first source; and its queue may be made anew, while its sessions live on."""
    left, source = world.left, world.sources[0]
    if left.source_restores:
        if world.source_backup is None:
            yield "a backup of the source is made", world._replace(source_backup=source)
        elif world.source_backup != source:
            restored = _with_source(world, 0, world.source_backup._replace(clock=source.clock))
            yield (
                "the source is restored",
                restored._replace(
                    source_backup=None,
                    left=left._replace(source_restores=left.source_restores - 1),
                    processes=tuple(process._replace(online=False) for process in world.processes),
                    late=frozenset(),
                    disturbed=True,
                ),
            )
    if left.remakes:
        left = left._replace(remakes=left.remakes - 1)
        made = pgq.tick(Source((), clock=source.clock), 0)
        words = f"the queue is made anew, with tick {pgq.newest_tick(made)}"
        yield words, _with_source(world, 0, made)._replace(left=left, disturbed=True)
        registered = pgq.register_at(made, 1)
        assert registered is not None
        done = _with_source(world, 0, registered)._replace(left=left, disturbed=True)
        yield f"{words}, and the consumer registered by hand", done


def _with_source(world: World, name: int, source: Source) -> World:
    sources = list(world.sources)
    sources[name] = source
    return world._replace(sources=tuple(sources))


def _with_process(world: World, index: int, process: Process) -> World:
    processes = list(world.processes)
    processes[index] = process
    return world._replace(processes=tuple(processes))
