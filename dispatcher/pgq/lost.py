"""Lost positions in words: which side is behind, and what each way out loses."""

from __future__ import annotations

from datetime import UTC, datetime

from ..ledger import Tick
from .batch import Batch

REWIND = "tdsup rewind {job} (or table_dispatcher --rewind FILE)"
RESET = "table_dispatcher --reset FILE"


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
            f"nothing "
            "that came before"
        )
    if position.number in {batch.previous_tick, batch.tick}:
        time = batch.tick_time if position.number == batch.tick else batch.previous_time
        return (
            f"{head} of another time ({_time(position.time)}, the source's is of {_time(time)}), as if the "
            f"queue "
            f"had been created again or its source restored, so that {rewind} is refused; {stands}: it loads "
            "nothing that came before, and again what was restored and comes again"
        )
    times = f"({_time(position.time)}; the source stands at {_at(batch.previous_tick, batch.previous_time)})"
    if position.number < batch.previous_tick:
        return (
            f"{head} {times}: the target is behind, as if it had been restored; {rewind} loads again what is "
            f"missing and loses nothing; {stands}, and loses the events in between"
        )
    return (
        f"{head} {times}: the source is behind, as if it had been restored or its consumer moved; {rewind} "
        f"moves "
        f"it to the target's tick, if its queue has that very tick, and loses nothing; {stands}, and loads "
        f"the "
        "events in between again"
    )


def _at(tick: int, time: float | None) -> str:
    return f"tick {tick} of {_time(time)}"


def _time(seconds: float | None) -> str:
    if seconds is None:
        return "unknown time"
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
