"""The numbers that a job reports, and those of them that `tdsup status` shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

MetricKind = Literal["counter", "gauge", "age", "histogram"]
"""What a number means.

- ``counter`` only grows within one process.
- ``gauge`` is a value.
- ``age`` is the moment, in seconds of ``time.monotonic()``, since which something is true. It is shown as the
  seconds that have passed. None means 0 for as long as nothing else is reported and the process lives.
- ``histogram`` tells how many values were up to each of some bounds.
"""


@dataclass(frozen=True, slots=True)
class Metric:
    """One number that a job reports.

    Attributes:
        name: in the field's terms, such as ``events``.
        kind: what it means.
        help: one sentence for people.
        labels: names of the labels that tell its series apart; empty if it is one number.
        buckets: upper bounds of a histogram, ascending, without infinity.
    """

    name: str
    kind: MetricKind
    help: str
    labels: Sequence[str] = ()
    buckets: Sequence[float] = ()


EVENTS = "events"
"""Name of the counter whose growth a fleet shows as events per second."""

LAG = "lag"
"""Name of the age that a fleet shows as a job's lag."""

TROUBLE = "trouble"
"""Beside the numbers of a job, a text: what is wrong around it though it runs itself; empty: nothing."""


@dataclass(frozen=True, slots=True)
class StatusNumber:
    """A number that the status of a fleet shows for every job.

    Attributes:
        name: of the metric.
        heading: of its column in the table; empty where only the JSON has it.
        unknown: what is shown where nobody knows it, or a job type has no such metric.
    """

    name: str
    heading: str = ""
    unknown: float | None = 0


STATUS_NUMBERS = (
    StatusNumber(EVENTS),
    StatusNumber("rows"),
    StatusNumber("dead_letters"),
    StatusNumber("dead_letters_kept", "DEAD", unknown=None),
    StatusNumber("batches"),
    StatusNumber("partitions", "PARTITIONS"),
    StatusNumber("works", unknown=None),
    StatusNumber("held_up", unknown=None),
)
"""Numbers by the names under which job types report them, in the order in which they are shown."""
