"""The version before the rules: a lock for the length of its session, and a position that may be missing."""

from __future__ import annotations

from collections.abc import Iterator

from .. import batches, pgq
from ..here import Here, Move
from ..world import Session, Step


def connect(here: Here) -> Iterator[Move]:
    """Open both connections and take the key for the session; another's makes it stand by."""
    if here.key_is_held():
        return
    session = Session(here.index, holds_key=True)
    yield here.then("connects and takes the key", session=session, step=Step.REGISTER, online=True)


def register(here: Here) -> Iterator[Move]:
    """Register at the newest tick, unless the consumer is registered."""
    if not here.me.online:
        yield here.again("finds the source's connection gone")
    elif here.source.subscription is not None:
        yield here.then("sees that it is registered", step=Step.NEXT)
    else:
        newest = pgq.newest_tick(here.source)
        source = pgq.register_at(here.source, newest.number)
        assert source is not None
        world = here.with_source(source)
        target = world.target
        if (target.shared if here.scenario.shared else here.row.tick) is None:
            world = world._replace(excused=world.excused.union(newest.events))
        yield here.then(f"registers at {newest}", world, step=Step.NEXT)


def begin(here: Here) -> Iterator[Move]:
    """Read the position and judge: none, or the number of the start: load; the end: skip."""
    if here.me.session is None:
        yield here.again("finds its session gone")
        return
    batch, shared = here.batch, here.scenario.shared
    at = here.world.target.shared if shared else here.row.tick
    if at is None or at.number == batch.start.number:
        words = f"begins, and finds that the target has {at}"
        yield here.then(words, session=here.begun(holds_key=True), step=Step.WORK)
    elif at.number == batch.end.number and (shared or at.time == batch.end.time):
        yield batches.skip(here)
    else:
        yield here.stop(f"lost position: batch {batch.start}..{batch.end}, the target has {at}")


STEPS = {
    Step.CONNECT: connect,
    Step.REGISTER: register,
    Step.NEXT: batches.ask,
    Step.BEGIN: begin,
    Step.WORK: batches.work,
    Step.COMMIT: batches.commit_batch,
    Step.FINISH: batches.finish,
}
"""What a process does at each step."""
