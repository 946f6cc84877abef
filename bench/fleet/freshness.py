"""How soon the jobs of a fleet have the rows of a tick."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

from .queues import Queues

TICK = 0.1
"""Seconds between two ticks of a queue with events."""

BUSY, EVENTS = 5, 300
"""Queues that have events, and how many these have in all."""

APART = 0.1
"""Seconds between two of those events."""

LONE_APART = 75.0
"""Seconds between two events of a source that is idle otherwise: a watcher then looks seldom."""

READ = (
    "select extract(epoch from pg_xact_commit_timestamp(xmin)) from orders "
    "where id = %s and pg_xact_commit_timestamp(xmin) is not null"
)

TICKED = """
select extract(epoch from pg_xact_commit_timestamp(tick.xmin))
from pgq.tick join pgq.queue on queue_id = tick_queue
where queue_name = %s and txid_visible_in_snapshot(%s, tick_snapshot) order by tick_id limit 1"""


@dataclass(frozen=True)
class Freshness:
    """Seconds from ticks to their rows.

    Attributes:
        busy: of queues with an event now and then.
        lone: of jobs that had none for long, in a source that had none either.
    """

    busy: Sequence[float]
    lone: Sequence[float]

    def told(self) -> str:
        """In one line."""
        text = f"rows after the tick: median {_ms(self.busy, 50)}, p99 {_ms(self.busy, 99)}"
        if self.lone:
            most = f"{1000 * max(self.lone):.0f} ms"
            text += f"; after a long idle time: median {_ms(self.lone, 50)}, most {most}"
        return text


def freshness(queues: Queues, jobs: int, lone: int) -> Freshness:
    """Let some queues have events, once all jobs have been idle for a while.

    Args:
        queues: of the fleet, which runs.
        jobs: how many.
        lone: events after a long idle time.
    """
    names = [f"q{number}" for number in range(jobs)]
    queues.box.ticker.stop()
    for name in names:
        queues.source.execute("select pgq.set_queue_config(%s, 'ticker_max_count', '1')", name)
    queues.box.ticker.start(TICK)
    found = []
    for number in range(lone):
        found.append(_inserted(queues, names[number % jobs], jobs + number))
        time.sleep(LONE_APART if number < lone - 1 else 0)
    after = len(found)
    for number in range(EVENTS):
        found.append(_inserted(queues, names[number % min(jobs, BUSY)], jobs + after + number))
        time.sleep(APART)
    took = [_delay(queues, *event) for event in found]
    # The first event of a queue wakes its job.
    return Freshness(took[after + BUSY :], took[:after])


def _inserted(queues: Queues, name: str, number: int) -> tuple[str, int, int]:
    return name, queues.insert(name, number), number


def _delay(queues: Queues, name: str, txid: int, number: int) -> float:
    queues.target.wait_for("select exists (select from orders where id = %s)", number, seconds=60)
    return float(queues.target.value(READ, number)) - float(queues.source.value(TICKED, name, txid))


def _ms(seconds: Sequence[float], percentile: int) -> str:
    if len(seconds) < 2:
        return f"{1000 * seconds[0]:.0f} ms"
    return f"{1000 * statistics.quantiles(seconds, n=100)[percentile - 1]:.0f} ms"
