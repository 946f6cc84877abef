"""The numbers of a job, and what they mean."""

from __future__ import annotations

import json
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tdsup.jobtype import EVENTS, LAG, TROUBLE, Metric

from .load import Outcome
from .pgq import Standing

BATCH_SECONDS = (0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60)
"""Upper bounds of durations, in seconds."""

BATCH_EVENTS = (1, 10, 100, 1_000, 10_000, 100_000)
"""Upper bounds of numbers of events."""


PATIENCE = 5.0
"""Seconds in which a queue should have answered."""

METRICS = (
    Metric(
        EVENTS, "counter", "Events read from the queue, by what became of them.", ("operation", "outcome")
    ),
    Metric("rows", "counter", "Events applied to the target: rows inserted, updated or deleted."),
    Metric("dead_letters", "counter", "Events that have no row, kept in tdsup.dead_letter."),
    Metric("ignored", "counter", "Events that ask for no change."),
    Metric(
        "passed_over",
        "counter",
        "Events of tables that the job's file leaves out, beside the others.",
    ),
    Metric(
        "late_events",
        "counter",
        "Rows and bad or ignored events whose partition was gone (late_events).",
    ),
    Metric("batches", "counter", "Batches loaded."),
    Metric("batch_seconds", "histogram", "Time from a batch's opening to its end.", buckets=BATCH_SECONDS),
    Metric("batch_events", "histogram", "Events of a batch.", buckets=BATCH_EVENTS),
    Metric("partitions", "counter", "Partitions created for rows."),
    Metric("partitions_premade", "counter", "Partitions made ahead of their rows (premake)."),
    Metric(
        "partitions_removed",
        "counter",
        "Partitions whose time was over (retention_period), by what became of them.",
        ("action",),
    ),
    Metric(LAG, "age", "How far the loaded events are behind the source."),
    Metric("lag_events", "gauge", "Events of the queue that are not loaded, as of the last batch."),
    Metric("last_batch", "age", "Time since a batch was finished."),
    Metric(
        "works",
        "gauge",
        "1 if a process works for the consumer, here or elsewhere, as far as is known; else 0.",
    ),
    # Gauges and no ages: they end with the process.
    Metric("open_batch_seconds", "gauge", "Time since the batch at work was opened; 0 between batches."),
    Metric("newest_tick_seconds", "gauge", "Age of the queue's newest tick."),
    Metric(
        "held_up",
        "gauge",
        "1 while the job's work waits for long for a lock, a statement or a server, or was slow for such a "
        "reason and there is more to do; else 0.",
    ),
    Metric("waiting_events", "gauge", "Events that wait for a tick which is late, as far as known; else 0."),
    Metric("rotation_held_seconds", "gauge", "For how long this consumer has held up the queue's rotation."),
    Metric("dead_letters_kept", "gauge", "Dead letters in the target that nobody has replayed or purged."),
)

TOTALS = frozenset({EVENTS, "rows", "dead_letters", "ignored", "passed_over", "batches", "partitions"})
"""Counters that the target keeps, if it has a row of the consumer."""


@dataclass(slots=True)
class Histogram:
    """How many values were up to each of some bounds.

    Attributes:
        bounds: upper bounds, ascending, without infinity.
        counts: how many values fell between each bound and the one before it; last, those beyond all bounds.
        total: sum of all values.
    """

    bounds: Sequence[float]
    counts: list[int] = field(default_factory=list)
    total: float = 0.0

    def __post_init__(self) -> None:
        self.counts = [0] * (len(self.bounds) + 1)

    def add(self, value: float) -> None:
        """Count a value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


@dataclass(slots=True)
class Tally:
    """What a job has done: since its process began or, of `TOTALS`, in all if the target keeps them.

    Attributes:
        events: how many events there were, by operation and outcome, with a comma in between.
        rows: events that were written, as their writers count them.
        passed_over: events of tables that are left out.
        late: rows and events whose partition was gone.
        batches: batches loaded.
        partitions: partitions created for rows.
        premade: partitions made ahead.
        removed: partitions whose time was over, by what became of them.
        seconds: duration of batches.
        sizes: events of batches.
        caught_up_to: moment, by ``time.monotonic()``, up to which events are loaded; None: all of them are.
        behind: events of the queue that were not loaded when the last batch was finished.
        finished_at: the moment when that was; None before the first batch.
        asked_at: the moment when the queue was asked for a batch; None once it has answered.
        opened_at: the moment when the batch at work was opened; None between batches.
        newest_tick: the moment of the queue's newest tick; None before anybody has looked.
        works: a process works for the consumer, here or elsewhere.
        held_up: the work of late has waited for something for long.
        is_watched: somebody else tells the following two.
        standing: how the consumer and its queue fare, as `standing_values`; empty before the first look.
        letters: dead letters that the target keeps; None if nobody knows.
    """

    events: dict[str, int] = field(default_factory=dict)
    rows: int = 0
    passed_over: int = 0
    late: int = 0
    batches: int = 0
    partitions: int = 0
    premade: int = 0
    removed: Counter[str] = field(default_factory=Counter)
    seconds: Histogram = field(default_factory=lambda: Histogram(BATCH_SECONDS))
    sizes: Histogram = field(default_factory=lambda: Histogram(BATCH_EVENTS))
    caught_up_to: float | None = field(default_factory=time.monotonic)
    behind: int = 0
    finished_at: float | None = None
    asked_at: float | None = None
    opened_at: float | None = None
    newest_tick: float | None = None
    works: bool = True
    held_up: bool = False
    is_watched: bool = False
    standing: Mapping[str, Any] = field(default_factory=dict)
    letters: int | None = None

    def count(self, outcome: Outcome) -> None:
        """Add what became of the events of a batch that was loaded."""
        self.events = self._with(outcome)
        self.rows += outcome.rows
        self.passed_over += outcome.passed_over
        self.late += outcome.late
        self.batches += 1
        self.sizes.add(outcome.events.total())

    def restore(self, counters: Mapping[str, Any]) -> None:
        """Go on from what the target says has been done in all, as `with_batch` wrote it."""
        self.events = dict(counters.get(EVENTS, {}))
        self.rows = counters.get("rows", 0)
        self.passed_over = counters.get("passed_over", 0)
        self.batches = counters.get("batches", 0)
        self.partitions = counters.get("partitions", 0)

    def with_batch(self, outcome: Outcome, partitions: int) -> str:
        """What has been done in all once a batch is loaded, as JSON.

        Args:
            outcome: of the batch.
            partitions: that were created for it.
        """
        counters = {
            EVENTS: self._with(outcome),
            "rows": self.rows + outcome.rows,
            "passed_over": self.passed_over + outcome.passed_over,
            "batches": self.batches + 1,
            "partitions": self.partitions + partitions,
        }
        return json.dumps(counters)

    def _with(self, outcome: Outcome) -> dict[str, int]:
        """`events` and those of a batch."""
        events = dict(self.events)
        for labels, number in outcome.by_operation().items():
            events[labels] = events.get(labels, 0) + number
        return events

    @property
    def total(self) -> int:
        """All events."""
        return sum(self.events.values())

    def of(self, outcome: str) -> int:
        """Events with that outcome."""
        return sum(number for labels, number in self.events.items() if labels.endswith(f",{outcome}"))

    def values(self) -> Mapping[str, Any]:
        """The numbers of `METRICS`, as a `Snapshot` wants them."""
        values: dict[str, Any] = {
            EVENTS: dict(self.events),
            "rows": self.rows,
            "dead_letters": self.of("dead_letter"),
            "ignored": self.of("ignored"),
            "passed_over": self.passed_over,
            "late_events": self.late,
            "batches": self.batches,
            "batch_seconds": {"sum": self.seconds.total, "counts": list(self.seconds.counts)},
            "batch_events": {"sum": self.sizes.total, "counts": list(self.sizes.counts)},
            "partitions": self.partitions,
            "partitions_premade": self.premade,
            "partitions_removed": dict(self.removed),
            "lag_events": self.behind,
            "works": int(self.works),
            "held_up": int(self.held_up),
            **self.present(),
        }
        if self.finished_at is not None:
            values["last_batch"] = self.finished_at
        return values

    def present(self) -> Mapping[str, Any]:
        """The numbers that change between two reports, idle or at a batch; any thread may ask."""
        now, opened, tick = time.monotonic(), self.opened_at, self.newest_tick
        behind, asked = self.caught_up_to, self.asked_at
        # Nobody knows what a queue has that does not answer.
        if asked is not None and now - asked > PATIENCE:
            behind = asked if behind is None else min(behind, asked)
        values: dict[str, Any] = {
            LAG: behind,
            "open_batch_seconds": 0.0 if opened is None else now - opened,
        }
        if self.letters is not None:
            values["dead_letters_kept"] = self.letters
        if not self.is_watched:
            values |= self.standing
            values |= {} if tick is None else {"newest_tick_seconds": now - tick}
            waits = self.standing.get(LAG)
            values[LAG] = behind if waits is None else waits if behind is None else min(behind, waits)
        return values


NOTHING_WAITS: Mapping[str, Any] = {"waiting_events": 0, LAG: None, TROUBLE: ""}
"""What `standing_values` says of a queue whose ticker runs."""


def standing_values(standing: Standing) -> dict[str, Any]:
    """What a look at a consumer and its queue has just shown, by metric.

    The lag is that of events that wait for a tick.
    """
    values: dict[str, Any] = {
        "rotation_held_seconds": standing.held,
        "waiting_events": standing.waiting,
        LAG: None if standing.waits is None else time.monotonic() - standing.waits,
        TROUBLE: standing.trouble,
    }
    return values if standing.age is None else {**values, "newest_tick_seconds": standing.age}
