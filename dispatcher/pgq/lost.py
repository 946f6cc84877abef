"""Lost positions in words: which side is behind, and what each way out loses."""

from __future__ import annotations

from datetime import UTC, datetime

from ..ledger import Tick
from ..settings import Settings
from .batch import Batch
from .registry import Whereabouts

REWIND = "tdsup rewind {job} (or table_dispatcher --rewind FILE)"
RESET = "table_dispatcher --reset FILE"
REGISTER = "table_dispatcher --register FILE"


def lost_position(position: Tick | None, batch: Batch, job: str) -> str:
    """What is wrong and what can be done, in one line.

    Args:
        position: the target's.
        batch: the source's, which it does not fit.
        job: name of the job.
    """
    number = "none" if position is None else position.number
    head = f"Lost position: batch {batch.previous_tick}..{batch.tick}, dst has {number}"
    rewind = REWIND.format(job=job)
    stands = f"{RESET} goes on from where the source stands, {_at(batch.previous_tick, batch.previous_time)}"
    if position is None:
        return (
            f"{head}, as if the target had been restored to before the first batch; {stands}, and loads "
            "nothing that came before"
        )
    if position.number in {batch.previous_tick, batch.tick}:
        time = batch.tick_time if position.number == batch.tick else batch.previous_time
        return (
            f"{head} of another time ({_time(position.time)}, the source's is of {_time(time)}), as if the "
            f"queue had been created again or its source restored, so that {rewind} is refused; {stands}: "
            "it loads nothing that came before, and again what was restored and comes again"
        )
    times = f"({_time(position.time)}; the source stands at {_at(batch.previous_tick, batch.previous_time)})"
    if position.number < batch.previous_tick:
        return (
            f"{head} {times}: the target is behind, as if it had been restored; {rewind} loads again what is "
            f"missing and loses nothing; {stands}, and loses the events in between"
        )
    return (
        f"{head} {times}: the source is behind, as if it had been restored or its consumer moved; {rewind} "
        f"moves it to the target's tick, if its queue has that very tick, and loses nothing; {stands}, and "
        "loads the events in between again"
    )


def may_register(tick: Tick, where: Whereabouts, is_new: bool) -> bool:
    """Whether the consumer can be registered at its position without a person's word: nothing is lost by it.

    PgQ deletes a tick before it deletes the events that follow it. Without its time, a tick of an equal
    number may be another one; unless it was chosen just now.
    """
    if where.wanted is None or where.wanted.time is None:
        return False
    return is_new or (tick.time is not None and tick.fits(tick.number, where.wanted.time))


def unregistered(tick: Tick, where: Whereabouts, settings: Settings) -> str:
    """Why a consumer with a position cannot be registered there, and what can be done."""
    way = ""
    if where.wanted is None:
        why = "which the queue does not have (any more)"
    elif tick.time is None:
        why = "whose time is not known, so that the queue's tick of that number may be another one"
        way = f"{REWIND.format(job=settings.job_name)} registers it there if the tick is the right one, "
    else:
        why = "and the queue's tick of that number is of another time, as if the queue had been created again"
    return (
        f"Lost position: consumer {settings.consumer_name} is not registered on queue {settings.queue}, and "
        f"the target is at tick {tick.number}, {why}; {way}{REGISTER} begins at the newest tick and loses "
        "what came before"
    )


def _at(tick: int, time: float | None) -> str:
    return f"tick {tick} of {_time(time)}"


def _time(seconds: float | None) -> str:
    if seconds is None:
        return "unknown time"
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
