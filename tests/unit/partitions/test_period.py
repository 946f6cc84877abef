"""The period that a value belongs to."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tdsup.dispatcher.partitions.naming import Method, Naming
from tdsup.dispatcher.partitions.period import Period, period_of
from tdsup.dispatcher.partitions.periodcache import PeriodCache
from tdsup.dispatcher.postgres import TableName


@pytest.mark.parametrize(
    "value",
    [
        b"2026-11-24",
        b"2026-11-24 10:00:00",
        b"2026-11-24T10:00:00",
        b"2026-11-24 10:00:00.123456+02",
        b"2026-11-24 10:00:00-03:30",
        b"2026-11-24 10:00:00 CET",
        b"2026-11-24T10:00:00Z",
        b"2026-11-24T23:59:59.999999+00:00",
        b"2026-11-24 23:59:59.123456789",
        b"2026-11-24 10:00 Europe/Tallinn",
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
        b"0044-03-15 10:00:00 bc",
        b"10000-01-01",
        b"2026-02-30",
        b"2026-11-24 24:00:00",
        b"2026-11-24 23:59:60",
        b"2026-11-24 23:59:59.9999995",
        b"2026-11-24 ",
        b"\xff\xfe",
        b"24.11.2026",
        b"11/24/2026",
        b"1.5",
        b"2026-11-24; drop table orders",
        b"2026-11-24_x",
        b"9999-12-31",
    ],
)
def test_what_is_not_a_date_has_no_period(value: bytes | None) -> None:
    """Only a date ever becomes part of a table's name."""
    with pytest.raises(ValueError, match="its partition value"):
        period_of(value, "daily")


@pytest.mark.parametrize(
    ("value", "style"),
    [
        (b"03.04.2026", "German"),
        (b"03.04.2026 10:00:00.5 CEST", "German"),
        (b"03/04/2026", "SQL"),
        (b"03-04-2026", "Postgres"),
        (b"Fri 03 Apr 10:00:00.5 2026 UTC", "Postgres"),
        (b"Fri Apr 03 10:00:00.5 2026", "Postgres"),
    ],
)
def test_another_date_style_is_refused_by_name(value: bytes, style: str) -> None:
    """In most of them day and month can be confused; the error names the producer's setting."""
    with pytest.raises(ValueError, match=f"in DateStyle {style}, in which the source's"):
        period_of(value, "daily")


@pytest.mark.parametrize(
    ("value", "order"),
    [
        (b"03.04.2026", "DMY"),
        (b"03.04.2026 10:00:00.5 CEST", "DMY"),
        (b"03/04/2026 23:59:59", "DMY"),
        (b"04/03/2026", "MDY"),
        (b"04-03-2026", "MDY"),
        (b"Fri 03 Apr 10:00:00.5 2026 UTC", "DMY"),
        (b"Fri Apr 03 10:00:00.5 2026", "MDY"),
        (b"2026-04-03 10:00:00+02", "DMY"),
    ],
)
def test_a_known_order_of_fields_is_read(value: bytes, order: str) -> None:
    """Then every style names the same day; another order or a date of no kind is refused."""
    assert period_of(value, "daily", order).suffix == "2026_04_03"


@pytest.mark.parametrize(
    "value",
    [b"03.04/2026", b"03.04.2026 BC", b"03.04.12026", b"31.02.2026", b"03.13.2026", b"Fri Apr 03 10:00 2026"],
)
def test_a_known_order_lets_nothing_else_in(value: bytes) -> None:
    """What is no date of that order stays none."""
    with pytest.raises(ValueError, match="its partition value"):
        period_of(value, "daily", "DMY")


def test_single_digits_mean_the_same_day() -> None:
    """Some producers write 2026-1-2; it belongs to the partition of 2026-01-02."""
    assert period_of(b"2026-1-2", "daily").suffix == "2026_01_02"
    assert PeriodCache("daily")[b"2026-1-2 10:00"] == period_of(b"2026-01-02", "daily")


LONGEST: dict[Method, int] = {"daily": 1, "weekly": 7, "monthly": 31, "quarterly": 92, "yearly": 366}
"""Most days of a period."""


@pytest.mark.parametrize(
    ("method", "suffix", "start", "end"),
    [
        ("daily", "2026_11_24", date(2026, 11, 24), date(2026, 11, 25)),
        ("weekly", "2026_w48", date(2026, 11, 23), date(2026, 11, 30)),
        ("monthly", "2026_11", date(2026, 11, 1), date(2026, 12, 1)),
        ("quarterly", "2026_q4", date(2026, 10, 1), date(2027, 1, 1)),
        ("yearly", "2026", date(2026, 1, 1), date(2027, 1, 1)),
    ],
)
def test_a_period_has_a_name_and_bounds(method: Method, suffix: str, start: date, end: date) -> None:
    """By the calendar."""
    assert period_of(b"2026-11-24", method) == Period(start, end, suffix)


@pytest.mark.parametrize(
    ("day", "suffix"),
    [
        (b"2027-01-03", "2026_w53"),
        (b"2027-01-04", "2027_w01"),
        (b"2024-12-30", "2025_w01"),
        (b"0001-01-01", "0001_w01"),
    ],
)
def test_a_week_belongs_to_the_year_of_its_thursday(day: bytes, suffix: str) -> None:
    """As ISO 8601 has it."""
    assert period_of(day, "weekly").suffix == suffix


@pytest.mark.parametrize("method", LONGEST)
def test_the_last_period_is_refused(method: Method) -> None:
    """It would end in the year 10000."""
    with pytest.raises(ValueError, match="is past the last period"):
        period_of(b"9999-12-31", method)


@given(st.dates(max_value=date(9998, 12, 31)), st.sampled_from(sorted(LONGEST)))
def test_a_period_holds_its_day(day: date, method: Method) -> None:
    """The bounds enclose the day; the next period begins where this one ends."""
    periods = PeriodCache(method)
    period = periods[day.isoformat().encode()]
    assert period.start <= day < period.end
    following = periods[period.end.isoformat().encode()]
    assert following.start == period.end
    assert period.end - period.start <= timedelta(days=LONGEST[method])
    # By their names, too, partitions are in the order of time, and known.
    naming = Naming(TableName("public", "t"), method)
    assert naming.table(period.start).table == f"t_{period.suffix}"
    assert re.fullmatch(naming.pattern, f"t_{period.suffix}")
    assert period.suffix < following.suffix
