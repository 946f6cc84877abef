"""Which partition a value belongs to."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tdsup.dispatcher.partition import Method, Period, PeriodCache, period_of


@pytest.mark.parametrize(
    "value",
    [
        b"2026-11-24",
        b"2026-11-24 10:00:00",
        b"2026-11-24T10:00:00",
        b"2026-11-24 10:00:00.123456+02",
        b"2026-11-24 10:00:00-03:30",
        b"2026-11-24 10:00:00 CET",
    ],
)
def test_takes_the_date_as_written(value: bytes) -> None:
    """Times and zones do not change the day that is written."""
    assert period_of(value, "daily") == Period(date(2026, 11, 24), date(2026, 11, 25), "2026_11_24")
    assert period_of(value, "monthly") == Period(date(2026, 11, 1), date(2026, 12, 1), "2026_11")


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"infinity",
        b"-infinity",
        b"0044-03-15 BC",
        b"0044-03-15 10:00:00 BC",
        b"10000-01-01",
        b"2026-02-30",
        b"2026-1-2",
        b"24.11.2026",
        b"11/24/2026",
        b"1.5",
        b"2026-11-24; drop table orders",
        b"2026-11-24_x",
        b"9999-12-31",
    ],
)
def test_what_is_no_date_has_no_partition(value: bytes | None) -> None:
    """Nothing but a date ever becomes part of a table's name."""
    with pytest.raises(ValueError, match="its partition value"):
        period_of(value, "daily")


@given(st.dates(max_value=date(9999, 11, 30)), st.sampled_from(["daily", "monthly"]))
def test_a_period_holds_its_day(day: date, method: Method) -> None:
    """The bounds enclose the day; the next period begins where this one ends."""
    periods = PeriodCache(method)
    period = periods[day.isoformat().encode()]
    assert period.start <= day < period.end
    following = periods[period.end.isoformat().encode()]
    assert following.start == period.end
    assert period.end - period.start <= timedelta(days=31)
    assert len(period.suffix) == {"daily": 10, "monthly": 7}[method]
