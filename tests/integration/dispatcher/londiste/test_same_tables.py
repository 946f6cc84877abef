"""Londiste's handlers and a job of ours make the same tables, in every mode in which those work."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
from harness.londiste.pair import TABLES, Mode, Pair, rows
from harness.londiste.stories import Place, Scope, story

PERIODS = {"hourly": "hour", "daily": "day", "monthly": "month", "yearly": "year"}

PLACES: dict[str, tuple[Place, str]] = {
    "field": ("row", "created"),
    "event": ("event", "_EVTIME"),
    "batch": ("batch", "_BATCHTIME"),
}
"""What tells a partition, and the job's ``part_field`` for it; by the last word of a handler's name."""

Given = Mapping[str, str]

AS_IT_IS: Given = {}
DELETE, MERGED, INSERT = ({"method": method} for method in "123")
"""How the bulk loader updates: by DELETE and COPY; inserts, too; not at all. By default it runs an UPDATE."""

Case = tuple[Mode, Scope]


def whole(handler: str, row_mode: str, given: Given = AS_IT_IS) -> Case:
    """A table without partitions."""
    arguments = {} if handler in {"londiste", "bulk"} else {"row_mode": row_mode}
    return Mode(handler, {**arguments, **given}, {"row_mode": row_mode}), Scope()


def parted(handler: str, row_mode: str = "keep_latest", given: Given = AS_IT_IS, **scope: bool) -> Case:
    """A handler that is called by period and time, and what happens in its histories."""
    *_, period, time = handler.split("_")
    place, field = PLACES[time]
    arguments = {"row_mode": row_mode, **({"part_field": field} if place == "row" else {}), **given}
    keys = {"part_method": period, "part_field": field, "row_mode": row_mode}
    return Mode(handler, arguments, keys), Scope(place, PERIODS[period], **scope)


def cases() -> Iterator[Case]:
    """All of them; what they leave out is in test_other_tables.py."""
    yield whole("londiste", "plain")
    yield from (whole("bulk", "plain", given) for given in (AS_IT_IS, DELETE, MERGED))
    for row_mode in ("plain", "keep_latest"):
        yield whole("direct", row_mode)
        yield from (whole("bulk_direct", row_mode, given) for given in (AS_IT_IS, DELETE, MERGED))
    yield whole("direct", "keep_all")
    keys = {"part_field": "_BATCHTIME", "row_mode": "plain"}
    yield Mode("dispatch", keys=keys), Scope("batch", "day", moves=False)
    for given in (AS_IT_IS, DELETE, MERGED):
        yield parted("bulk_daily_field", "plain", given, moves=False)
    for given in (AS_IT_IS, DELETE, INSERT):
        yield parted("bulk_daily_field", "keep_all", given, repeats=False)
    yield parted("bulk_daily_field", moves=False)
    yield parted("bulk_daily_field", given=DELETE, returns=False)
    yield parted("bulk_daily_field", given=MERGED, returns=False)
    for handler in ("daily_field", "monthly_field", "daily_event", "daily_batch"):
        yield parted(handler, "plain", moves=False)
        yield parted(handler, "keep_all")
    for handler in ("bulk_monthly_field", "bulk_daily_event", "bulk_daily_batch"):
        yield parted(handler, "plain", moves=False)
        yield parted(handler, "keep_all", INSERT, repeats=False)
        yield parted(handler, given=DELETE, returns=False)
    for handler in (f"{period}_{time}" for period in PERIODS for time in PLACES):
        yield parted(handler, returns=False)


def name_of(case: Case) -> str:
    """A handler and its arguments."""
    mode, _ = case
    return " ".join([mode.handler, *mode.arguments.values()])


@pytest.mark.parametrize("case", list(cases()), ids=name_of)
def test_a_history_gives_the_same_tables(pair: Pair, case: Case) -> None:
    """Cell by cell, whatever happens to rows and however it is cut into batches."""
    mode, scope = case
    told = story(name_of(case), scope)
    pair.play(mode, *told)
    pair.load_theirs()
    assert pair.load_ours()["dead_letters"] == 0
    assert rows(pair.ours) == rows(pair.theirs), told
    # Londiste makes partitions for events without a row, too.
    assert set(pair.ours.column(TABLES)) <= set(pair.theirs.column(TABLES)), told
