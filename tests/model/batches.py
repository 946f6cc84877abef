"""What every program does with a batch once it may be loaded: the steps that need no rule."""

from __future__ import annotations

from collections.abc import Iterator

from . import pgq
from .here import Here, Move, commit
from .scenario import Program
from .world import Batch, Load, Step


def ask(here: Here) -> Iterator[Move]:
    """``next_batch``."""
    if not here.me.online or here.source.subscription is None:
        yield here.again("finds the source's connection or registration gone")
        return
    source = pgq.next_batch(here.source)
    if source is None:
        return
    found = source.subscription
    assert found is not None
    assert found.end is not None
    batch = Batch(found.batch, found.last, found.end)
    yield here.then(
        f"gets batch {batch.start}..{batch.end}", here.with_source(source), step=Step.BEGIN, batch=batch
    )


def work(here: Here) -> Iterator[Move]:
    """Load the events and write the position, which takes the locks of the rows it is in."""
    if here.me.session is None:
        yield here.again("finds its session gone")
        return
    shared = here.scenario.shared
    if (here.writes_row and here.row_is_held()) or (shared and here.shared_is_held()):
        return
    load = Load(here.batch.events, here.batch.end)
    loaded = here.transaction._replace(holds_row=here.writes_row, holds_shared=shared, load=load)
    yield here.then(
        f"loads the batch and writes position {load.tick}",
        session=here.session._replace(transaction=loaded),
        step=Step.COMMIT,
    )


def commit_batch(here: Here) -> Iterator[Move]:
    """Commit; the answer arrives."""
    if here.me.session is None:
        yield here.again("finds its session gone")
        return
    first = here.transaction.load is not None and here.transaction.load.first
    yield here.then(
        "commits",
        commit(here.scenario, here.world, here.session),
        session=here.idle(),
        step=Step.LOCK_FIRST if first else Step.FINISH,
    )


def skip(here: Here) -> Move:
    """Pass over the batch, for the target has it.

    A fault of ours if it has not; a batch that PgQ has no longer open is nobody's.
    """
    world, batch, open_one = here.world, here.batch, here.source.subscription
    is_ours = here.job.program in (Program.NEW, Program.TODAY)
    is_open = open_one is not None and (open_one.batch, open_one.end) == (batch.id, batch.end)
    if is_ours and is_open and not set(batch.events) <= {*world.target.applied, *world.excused}:
        world = world._replace(fault=f"{here.name} skips a batch that the target has not")
    return here.then(
        "finds the batch in the target and skips it", world, session=here.idle(), step=Step.FINISH
    )


def finish(here: Here) -> Iterator[Move]:
    """``finish_batch``."""
    if not here.me.online:
        yield here.again("finds the source's connection gone")
        return
    source = pgq.finish_batch(here.source, here.batch.id)
    if source is None:
        world = here.world._replace(told=True)
        yield here.then("cannot finish the batch: PgQ answers 0", world, step=Step.NEXT, batch=None)
    else:
        yield here.then("finishes the batch", here.with_source(source), step=Step.NEXT, batch=None)
