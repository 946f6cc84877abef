"""The original: it reads the tick of ``pgq_ext`` without a lock, and registers by command only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from .. import batches
from ..here import Here, Move
from ..scenario import Program
from ..world import Session, Step


def connect(here: Here) -> Iterator[Move]:
    """Open both connections."""
    yield here.then("connects", session=Session(here.index), step=Step.NEXT, online=True)


def begin(here: Here) -> Iterator[Move]:
    """Read the tick and judge; unless it is interleaved, go on to the commit at once."""
    if here.me.session is None:
        yield here.again("finds its session gone")
        return
    batch, at = here.batch, here.world.target.shared
    if at is not None and at.number == batch.end.number:
        yield batches.skip(here)
    elif at is not None and at.number != batch.start.number:
        yield here.stop(f"lost position: batch {batch.start}..{batch.end}, the target has {at}")
    elif here.job.program is Program.INTERLEAVED:
        yield here.then(f"reads that the target has {at}", session=here.begun(), step=Step.WORK)
    else:
        _, begun = here.then("", session=here.begun())
        for _, loaded in batches.work(replace(here, world=begun)):
            for _, done in batches.commit_batch(replace(here, world=loaded)):
                yield f"{here.name} (the original) loads the batch and commits", done


STEPS = {
    Step.CONNECT: connect,
    Step.NEXT: batches.ask,
    Step.BEGIN: begin,
    Step.WORK: batches.work,
    Step.COMMIT: batches.commit_batch,
    Step.FINISH: batches.finish,
}
"""What it does at each step."""
