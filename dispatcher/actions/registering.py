"""Where a consumer stands, as a person wishes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from psycopg2.extensions import cursor as Cursor

from ..errors import SetupError
from ..events import PASSED_OVER, Event
from ..ledger import DeadLetter, DeadLetters, Source, Tick, read_entry
from ..load import Outcome, Sieves
from ..metrics import Tally
from ..pgq import Batch, Roots, Verdict, judge, lost_position, may_register
from ..settings import Settings
from .desk import Desk, desk, named

BUFFER = 1 << 20
"""Bytes of events that are gathered before they are written."""

DRY_RUN = "dry-run"
"""Argument of `rewind`: only tell what would be done."""


def register(settings: Settings, _arguments: Sequence[str]) -> Iterator[str]:
    """Register the consumer at its position if the queue has that tick; else the position begins anew."""
    doing = f"register {named(settings)}"
    with desk(settings, doing) as at:
        with at.held() as (cursor, tick):
            where = at.registry.whereabouts(None if tick is None else tick.number)
            is_registered = where.last is not None
            is_kept = tick is not None and (is_registered or may_register(tick, where, is_new=False))
            begins = tick if is_kept else where.last or where.newest
            if begins is None:
                raise SetupError(f"cannot {doing}: the queue has no tick yet; does its ticker run?")
            if not is_kept:
                at.position.set(cursor, begins)
            if not (is_kept and is_registered):
                _use_source(at, cursor)
                at.row.mend(cursor)
        if is_registered:
            yield f"{named(settings)} is registered already"
        else:
            with at.held():
                at.registry.register(begins.number)
            yield f"registered {named(settings)}"
        if not is_kept:
            yield f"its position is tick {begins.number}"
        elif not is_registered:
            yield f"its position is tick {begins.number}, as before"


def unregister(settings: Settings, _arguments: Sequence[str]) -> Iterator[str]:
    """Unregister the consumer, and forget its position and counters."""
    with desk(settings, f"unregister {named(settings)}") as at:
        with at.held(forgets=True) as (cursor, _tick):
            known = at.registry.unregister()
            at.position.forget(cursor)
        yield f"unregistered {named(settings)}" if known else f"{named(settings)} was not registered"


def retire(settings: Settings, _arguments: Sequence[str]) -> Iterator[str]:
    """Unregister the consumer, and keep its position and counters as history."""
    with desk(settings, f"retire {named(settings)}") as at:
        with at.held(forgets=True) as (cursor, tick):
            known = at.registry.unregister()
            at.row.mend(cursor, blocked="retired; a start registers it again, if its position still fits")
        done = f"unregistered {named(settings)}" if known else f"{named(settings)} was not registered"
        kept = "there was no position" if tick is None else f"its position, tick {tick.number}, is kept"
        yield f"{done}; {kept}"


def reset(settings: Settings, _arguments: Sequence[str]) -> Iterator[str]:
    """Set the target's position to the tick at which the source stands."""
    doing = f"reset {named(settings)}"
    with desk(settings, doing) as at:
        with at.held() as (cursor, tick):
            stands = at.registry.whereabouts().last
            if stands is None:
                raise SetupError(f"cannot {doing}: it is not registered; register it")
            at.position.set(cursor, stands)
            _use_source(at, cursor)
            at.row.mend(cursor)
        before = "none" if tick is None else f"tick {tick.number}"
        yield (
            f"the position of {named(settings)} is tick {stands.number}, where the source stands; "
            f"it was {before}"
        )


def rewind(settings: Settings, arguments: Sequence[str]) -> Iterator[str]:
    """Set the consumer on the source to the target's position, if that is a tick of the queue."""
    doing = f"rewind {named(settings)}"
    dry_run = DRY_RUN in arguments
    with desk(settings, doing) as at:
        with at.held() as (cursor, tick):
            if tick is None:
                raise SetupError(f"cannot {doing}: the target has no position")
            where = at.registry.whereabouts(tick.number)
            _refuse_unfit(tick, where.wanted, doing)
            if dry_run:
                at.target.rollback()
            else:
                at.registry.register_at(tick.number)
                _use_source(at, cursor)
                at.row.mend(cursor)
        last = where.last
        stands = "not registered" if last is None else f"at tick {last.number}"
        if last is not None and tick.fits(last.number, last.time):
            yield f"{named(settings)} is at tick {tick.number}, the target's position, already"
        elif dry_run:
            yield (f"would rewind {named(settings)}, which is {stands}, to the target's tick {tick.number}")
        else:
            yield f"rewound {named(settings)}, which was {stands}, to the target's tick {tick.number}"


def _use_source(at: Desk, cursor: Cursor) -> None:
    with at.queue.connection.cursor() as its:
        at.row.use_source(cursor, Source.read(its))


def _refuse_unfit(tick: Tick, found: Tick | None, doing: str) -> None:
    if found is None:
        raise SetupError(
            f"cannot {doing}: the queue has no tick {tick.number} (any more), the target's position; "
            "table_dispatcher --reset FILE goes on from where the source stands, whatever came before"
        )
    if not tick.fits(found.number, found.time):
        raise SetupError(
            f"cannot {doing}: the queue's tick {tick.number} is of another time than the target's "
            "position, as if the queue had been created again or its source restored; table_dispatcher "
            "--reset FILE goes on from where the source stands, whatever came before"
        )


def skip(settings: Settings, _arguments: Sequence[str]) -> Iterator[str]:
    """Pass over the open batch; its events are kept as dead letters."""
    doing = f"skip the open batch of {named(settings)}"
    with desk(settings, doing) as at:
        with at.held():
            # A batch that is not open has kept nobody: it may well be a good one.
            is_open = at.registry.has_open_batch()
        batch = at.queue.next_batch() if is_open else None
        if batch is None:
            raise SetupError(f"cannot {doing}: there is none")
        skipped = _Skipped(at, settings)
        is_lacking = skipped.skip(batch)
        at.queue.finish(batch)
        count = skipped.outcome.events.total()
        done = f"its {count} events are dead letters" if is_lacking else "the target has it already"
        yield (
            f"skipped batch {batch.id}, ticks {batch.previous_tick} to {batch.tick}, of queue "
            f"{settings.queue}: {done}"
        )


class _Skipped:
    """The events of a batch on their way to the dead letters."""

    def __init__(self, at: Desk, settings: Settings) -> None:
        self._at = at
        self._job = settings.job_name
        self._dead_letters = DeadLetters(at.target, settings.queue, settings.consumer_name)
        roots = Roots(at.queue.tables, settings)
        # The source was asked when the queue was opened.
        roots.ask()
        self._encoding = at.queue.reading(at.target).encoding
        self._sieves = Sieves(settings, self._encoding, roots.root)
        self._cursor = at.target.cursor()
        self._letters: list[DeadLetter] = []
        self._size = 0
        self.outcome = Outcome()

    def skip(self, batch: Batch) -> bool:
        """Keep all events and write the position, in one transaction; False if the target has the batch."""
        at = self._at
        if not self._dead_letters.exist():
            self._dead_letters.create()
        at.target.commit()
        with at.held() as (cursor, tick):
            verdict = judge(tick, batch)
            if verdict is Verdict.LOST:
                raise SetupError(f"cannot {at.doing}: {lost_position(tick, batch, self._job)}")
            if verdict is Verdict.APPLY:
                at.queue.read(batch, self._add)
                self._write()
                at.position.write(cursor, batch.tick, batch.tick_time, self._counters())
            at.row.mend(cursor)
        return verdict is Verdict.APPLY

    def _add(self, line: bytes) -> None:
        event = Event.from_line(line, self._encoding)
        if event.type == PASSED_OVER:
            self.outcome.passed_over += 1
            return
        try:
            operation = event.header().operation
        except ValueError:
            operation = None
        self.outcome.events[operation] += 1
        self.outcome.bury(event.id, operation, "skipped")
        letter = self._sieves.letter(event, "skipped by a person, with its batch")
        self._letters.append(letter)
        self._size += len(letter.event)
        if self._size >= BUFFER:
            self._write()

    def _write(self) -> None:
        self._dead_letters.write(self._cursor, self._letters)
        self._letters.clear()
        self._size = 0

    def _counters(self) -> str:
        tally = Tally()
        entry = read_entry(self._cursor, self._at.position) if self._at.row.kept else None
        tally.restore({} if entry is None else entry.counters)
        return tally.with_batch(self.outcome, 0)
