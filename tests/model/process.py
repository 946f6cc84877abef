"""The program under the rules: the steps of one process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import wraps
from typing import NamedTuple

from . import batches, pgq
from .here import Here, Move
from .rules import Rule
from .world import Batch, Load, Session, Step, Tick


class Position(NamedTuple):
    """The last applied tick as the program knows it."""

    number: int
    time: int | None

    def __str__(self) -> str:
        """Number and time, as people would compare them."""
        return f"{self.number}@{'?' if self.time is None else self.time}"

    def is_at(self, tick: Tick, with_time: bool) -> bool:
        """Whether it is a tick, by number and, where it is known and asked for, by time."""
        return self.number == tick.number and (not with_time or self.time in (None, tick.time))


def position(here: Here) -> Position | None:
    """The position; with ``pgq_ext`` the tick there counts.

    TIME_OF_ITS_TICK: our time belongs to our tick. The original may have gone on from there.
    """
    own, shared = here.row.tick, here.world.target.shared
    if not here.scenario.shared:
        return None if own is None else Position(own.number, own.time)
    if shared is None:
        return None
    is_ours = own is not None and (own.number == shared.number or Rule.TIME_OF_ITS_TICK not in here.rules)
    return Position(shared.number, own.time if own is not None and is_ours else None)


def _under_lock(act: Callable[[Here], Iterator[Move]]) -> Callable[[Here], Iterator[Move]]:
    """A step on the target that first locks our row and looks whether it is still ours.

    HOLD_ROW: it waits for the row's lock, and whatever it begins keeps it.
    CHECK_EPOCH: the row must name this process and epoch.
    OLD_KEY: no session of today's program may hold the key.
    """

    @wraps(act)
    def guarded(here: Here) -> Iterator[Move]:
        rules = here.rules
        waits = Rule.HOLD_ROW in rules and here.row_is_held()
        stands_by = Rule.OLD_KEY in rules and here.key_is_held()
        if here.me.session is None:
            yield here.again("finds its session gone")
        elif waits or stands_by:
            return
        elif Rule.CHECK_EPOCH in rules and not _owns(here):
            words, world = here.then("finds its epoch gone", epoch=0)
            yield replace(here, world=world).again(words.removeprefix(f"{here.name} "))
        else:
            yield from act(here)

    return guarded


def _owns(here: Here) -> bool:
    return (here.row.owner, here.row.epoch) == (here.index, here.me.epoch)


def connect(here: Here) -> Iterator[Move]:
    """Open both connections. An owner that lost them writes its new session into its row."""
    me = here.me
    if me.epoch and Rule.CHECK_EPOCH in here.rules:
        if here.row_is_held():
            return
        if not _owns(here):
            yield here.then("connects, and finds its epoch gone", step=Step.CLAIM, epoch=0, online=True)
            return
    session = Session(here.index, me.epoch)
    step = Step.LOOK if me.epoch else Step.CLAIM
    yield here.then("connects", session=session if me.epoch else None, step=step, online=True)


def claim(here: Here) -> Iterator[Move]:
    """Take the next epoch, if nobody's session has the present one. It locks the row, and waits for nobody.

    NAME_CLAIM: with ``pgq_ext`` no other row may have the consumer's name.
    SOURCE_KNOWN: the row's source must be ours.
    """
    row, job, world = here.row, here.job, here.world
    if here.row_is_held():
        return
    words = ""
    if owner_lives(here):
        if not world.left.misjudgements:
            return
        left = world.left._replace(misjudgements=world.left.misjudgements - 1)
        here = replace(here, world=world._replace(left=left))
        words = f", for it takes {'ABC'[row.owner or 0]} for gone"
    rows = world.target.rows
    others = any(each.source is not None for key, each in enumerate(rows) if key != job.key)
    if here.scenario.shared and others and Rule.NAME_CLAIM in here.rules:
        yield here.stop("another queue's consumer has its name")
    elif row.source not in (None, job.source) and Rule.SOURCE_KNOWN in here.rules:
        yield here.stop("its consumer reads another source")
    else:
        epoch = row.epoch + 1
        world = here.with_row(row._replace(epoch=epoch, owner=here.index, source=job.source))
        session = Session(here.index, epoch)
        yield here.then(f"takes epoch {epoch}{words}", world, session=session, epoch=epoch, step=Step.LOOK)


def owner_lives(here: Here) -> bool:
    """Whether a session of the row's epoch is there."""
    row = here.row
    return any(each.owner == row.owner and each.epoch == row.epoch for each in here.others())


def look(here: Here) -> Iterator[Move]:
    """Whether the consumer is registered, else the queue's newest tick."""
    if not here.me.online:
        yield here.again("finds the source's connection gone")
    elif here.source.subscription is not None:
        yield here.then("sees that it is registered", step=Step.PLACE, newest=None)
    else:
        tick = pgq.newest_tick(here.source)
        yield here.then(
            f"sees that it is not registered; the newest tick is {tick}",
            step=Step.PLACE,
            newest=tick,
        )


@_under_lock
def place(here: Here) -> Iterator[Move]:
    """Under the row's lock: go on, choose the first tick, or be blocked.

    FIRST_TICK_FIRST: the first tick is committed before anything is registered. Without it the consumer is
    registered first, and its position written with its first batch.
    """
    at, newest = position(here), here.me.newest
    own = here.row.tick
    is_first = here.row.fresh and own is not None and at is not None and own.number == at.number
    if newest is None and (at is not None or Rule.NONE_IS_LOST not in here.rules):
        yield here.then(f"goes on from {at}", step=Step.NEXT)
    elif newest is None:
        yield here.stop("somebody registered it, and there is no position")
    elif is_first:
        yield here.then("has a first tick", step=Step.LOCK_FIRST)
    elif at is not None:
        yield here.stop("it has a position, and is not registered")
    elif Rule.FIRST_TICK_FIRST in here.rules:
        yield from _write_first(here, newest)
    else:
        yield from _register_first(here, newest)


def _write_first(here: Here, newest: Tick) -> Iterator[Move]:
    """Write the first tick, for a commit of its own; nobody else may be writing it."""
    shared = here.scenario.shared
    if not here.row_is_held() and not (shared and here.shared_is_held()):
        session = here.begun(holds_row=True, holds_shared=shared, load=Load((), newest, first=True))
        yield here.then(f"writes first tick {newest}", session=session, step=Step.COMMIT)


def _register_first(here: Here, newest: Tick) -> Iterator[Move]:
    """What FIRST_TICK_FIRST forbids. The process remembers it, to take the first batch without a position."""
    source = here.me.online and pgq.register_at(here.source, newest.number)
    if not source:
        yield here.again("finds the source's connection or the tick gone")
        return
    world = here.with_source(source)
    world = world._replace(excused=world.excused.union(newest.events))
    yield here.then(f"registers at {newest}", world, step=Step.NEXT, pioneer=True)


@_under_lock
def lock_first(here: Here) -> Iterator[Move]:
    """Lock the row, whose first tick is known, for as long as the registration takes."""
    session = here.begun(holds_row=Rule.HOLD_ROW in here.rules)
    yield here.then("locks its row", session=session, newest=here.row.tick, step=Step.REGISTER)


def register(here: Here) -> Iterator[Move]:
    """``register_consumer_at`` the row's first tick.

    ONLY_UNREGISTERED: one statement looks and registers. It may run later than its process believes.
    """
    tick = here.me.newest
    if not here.me.online or tick is None:
        yield here.again("finds the source's connection gone")
        return
    source = here.source
    if source.subscription is None or Rule.ONLY_UNREGISTERED not in here.rules:
        moved = pgq.register_at(source, tick.number)
        if moved is None:
            yield here.stop("the queue has no such tick")
            return
        source = moved
    session = here.idle() if here.me.session is not None else None
    yield here.then(f"registers at {tick}", here.with_source(source), session=session, step=Step.NEXT)


@_under_lock
def begin(here: Here) -> Iterator[Move]:
    """Begin the batch's transaction: locks, epoch, position."""
    batch, rules = here.batch, here.rules
    held = here.begun(holds_row=Rule.HOLD_ROW in rules, holds_key=Rule.OLD_KEY in rules)
    at = position(here)
    if at is None:
        verdict = True if here.me.pioneer or Rule.NONE_IS_LOST not in rules else None
    else:
        verdict = _verdict(at, batch, rules)
    if verdict is None:
        lost = f"lost position: batch {batch.start}..{batch.end}, the target has {at}"
        if Rule.ASK_AGAIN in rules:
            yield here.then(f"doubts: {lost}", session=here.idle(), step=Step.DOUBT)
        else:
            yield here.stop(lost)
    elif verdict:
        step = Step.REWRITE if here.scenario.shared and Rule.REWRITE_TICK in rules else Step.WORK
        yield here.then(f"begins, and finds that the target has {at}", session=held, step=step)
    else:
        yield batches.skip(here)


def _verdict(at: Position, batch: Batch, rules: frozenset[Rule]) -> bool | None:
    """True: load the batch; False: the target has it; None: the position is lost."""
    if at.is_at(batch.start, Rule.TIMES_AT_START in rules):
        return True
    return False if at.is_at(batch.end, Rule.TIMES_AT_END in rules) else None


def doubt(here: Here) -> Iterator[Move]:
    """Ask PgQ whether the batch that does not fit is still the open one.

    ASK_AGAIN: if it is not, a rival has gone on since, and nothing is lost.
    """
    if not here.me.online:
        yield here.again("finds the source's connection gone")
        return
    subscription = here.source.subscription
    if subscription is not None and subscription.end is not None and subscription.batch == here.batch.id:
        yield here.stop("lost position: the batch is still the open one")
    else:
        yield here.then("drops a batch that is no longer open", step=Step.NEXT, batch=None)


def rewrite(here: Here) -> Iterator[Move]:
    """Write the tick of ``pgq_ext`` again; at REPEATABLE READ that fails if it changed since the snapshot."""
    if here.me.session is None:
        yield here.again("finds its session gone")
    elif here.shared_is_held():
        return
    elif here.world.target.shared != here.transaction.seen:
        yield here.then("finds that somebody was faster", session=here.idle(), step=Step.BEGIN)
    else:
        locked = here.transaction._replace(holds_shared=True)
        yield here.then(
            "writes the tick of pgq_ext again",
            session=here.session._replace(transaction=locked),
            step=Step.WORK,
        )


STEPS = {
    Step.CONNECT: connect,
    Step.CLAIM: claim,
    Step.LOOK: look,
    Step.PLACE: place,
    Step.LOCK_FIRST: lock_first,
    Step.REGISTER: register,
    Step.NEXT: batches.ask,
    Step.BEGIN: begin,
    Step.DOUBT: doubt,
    Step.REWRITE: rewrite,
    Step.WORK: batches.work,
    Step.COMMIT: batches.commit_batch,
    Step.FINISH: batches.finish,
}
"""What a process does at each step."""
