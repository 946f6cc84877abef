"""The calls of PgQ, each its own transaction."""

from __future__ import annotations

from .scenario import event_at
from .world import Source, Subscription, Tick


def tick(source: Source, name: int) -> Source:
    """The ticker makes a tick."""
    time = source.clock + 1
    number = len(source.ticks) + 1
    before = source.ticks[-1].events if source.ticks else ()
    made = Tick(number, time, (*before, event_at(name, time)))
    return source._replace(ticks=(*source.ticks, made), clock=time)


def newest_tick(source: Source) -> Tick:
    """A queue always has one: the ticker makes the first when the queue is made."""
    return source.ticks[-1]


def find_tick(source: Source, number: int) -> Tick | None:
    """The queue's tick of a number."""
    return source.ticks[number - 1] if number <= len(source.ticks) else None


def register_at(source: Source, number: int) -> Source | None:
    """Set the consumer to a tick, registered or not, and drop its open batch; None: there is no such tick."""
    found = find_tick(source, number)
    return None if found is None else source._replace(subscription=Subscription(found))


def next_batch(source: Source) -> Source | None:
    """Open the next batch or leave the one that is open; None: there is none, or no registration."""
    subscription = source.subscription
    if subscription is None or subscription.end is not None:
        return source if subscription else None
    end = find_tick(source, subscription.last.number + 1)
    if end is None:
        return None
    batch = source.batches + 1
    return source._replace(subscription=subscription._replace(end=end, batch=batch), batches=batch)


def finish_batch(source: Source, batch: int) -> Source | None:
    """Close a batch; None: it is not open, PgQ answers 0."""
    subscription = source.subscription
    if subscription is None or subscription.end is None or subscription.batch != batch:
        return None
    return source._replace(subscription=Subscription(subscription.end))
