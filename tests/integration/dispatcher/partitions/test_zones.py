"""Periods in time zones are those of PostgreSQL's ``date_trunc``."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from harness.servers.database import Database
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tdsup.dispatcher.events import LOCAL, Dial, second_of
from tdsup.dispatcher.partitions.naming import Method
from tdsup.dispatcher.partitions.period import as_time
from tdsup.dispatcher.partitions.periodcache import PeriodCache
from tdsup.dispatcher.partitions.zones import Zone, seconds_of

METHODS = get_args(Method)
UNITS = dict(zip(METHODS, "hour day week month quarter year".split(), strict=True))

ZONES = """UTC Europe/Tallinn America/Sao_Paulo America/Havana Asia/Kolkata Asia/Kathmandu Australia/Lord_Howe
Pacific/Apia America/St_Johns Antarctica/Troll Africa/Casablanca America/New_York""".split()

CHANGES = [
    1541300400,  # America/Sao_Paulo 2018-11-04: there is no midnight
    1792890000,  # Europe: 2026-10-25 has 25 hours
    1774746000,  # Europe: 2026-03-29 has 23 hours
    1325239200,  # Pacific/Apia: 2011-12-30 is left out
    1301752800,  # Australia/Lord_Howe 2011-04-03: half an hour
    1160280000,  # America/St_Johns 2006-10-29: midnight comes twice, by a minute
    1793508000,  # America/Havana 2026-11-01: midnight comes twice
    1483228800,  # after a leap second
    0,
    -2208988800,
]
"""Moments near which clocks are changed."""

MOMENTS = st.one_of(
    st.builds(int.__add__, st.sampled_from(CHANGES), st.integers(-200_000, 200_000)),
    st.builds(int.__add__, st.sampled_from(CHANGES), st.sampled_from([-1, 0, 1, 59, 60])),
    st.integers(-3_000_000_000, 7_000_000_000),
)
FRACTIONS = st.sampled_from(["", ".5", ".999999", ".9999994", ".9999996"])


def told(moment: int, offset: int, fraction: str) -> str:
    """A moment as a producer writes it whose clocks are some seconds before UTC."""
    local = datetime(1970, 1, 1) + timedelta(seconds=moment + offset)
    hours, seconds = divmod(abs(offset), 3600)
    sign = "-" if offset < 0 else "+"
    written = f"{sign}{hours:02}:{seconds // 60:02}:{seconds % 60:02}".removesuffix(":00").removesuffix(":00")
    return f"{local:%Y-%m-%d %H:%M:%S}{fraction}{written}"


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(st.tuples(MOMENTS, st.integers(-15 * 60, 15 * 60), FRACTIONS), min_size=1, max_size=40),
    st.sampled_from(ZONES),
    st.sampled_from(METHODS),
)
@example([(1541300399, 0, ".9999996"), (1541300400, 0, ""), (1541304000, 0, "")], ZONES[2], "daily")
def test_a_moment_is_in_the_period_of_date_trunc(
    target: Database, moments: list[tuple[int, int, str]], zone: str, method: Method
) -> None:
    """However it is written, and by every way to tell it: as text, in seconds and in milliseconds."""
    texts = [told(moment, minutes * 60, fraction) for moment, minutes, fraction in moments]
    found = target.rows(
        "select date_trunc(%s, t::timestamptz at time zone %s), "
        "extract(epoch from t::timestamptz)::numeric::text, "
        "(extract(epoch from t::timestamptz) * 1000)::numeric::text "
        "from unnest(%s::text[]) with ordinality as u (t, n) order by n",
        UNITS[method],
        zone,
        texts,
    )
    caches = {dial: PeriodCache(method, dial=dial, zone=Zone(zone)) for dial in Dial}
    for text, (start, seconds, milliseconds) in zip(texts, found, strict=True):
        values = {Dial.ZONED: text, Dial.SECONDS: seconds, Dial.MILLISECONDS: milliseconds}
        for dial, value in values.items():
            period = caches[dial][value.encode()]
            assert as_time(period.start) == start
            stretch, second = caches[dial].stretch(value.encode()), second_of(value.encode(), dial)
            if stretch is not None and second is not None:
                assert stretch.start <= second < stretch.end
                assert stretch.period == period


@settings(max_examples=300)
@given(MOMENTS, MOMENTS, st.sampled_from(ZONES), st.sampled_from(METHODS))
def test_a_stretch_lies_in_one_period(moment: int, other: int, zone: str, method: Method) -> None:
    """Each second of it is of its period, and stretches do not overlap."""
    known, cache = Zone(zone), PeriodCache(method, dial=Dial.SECONDS, zone=Zone(zone))
    one, two = (cache.stretch(str(each).encode()) for each in (moment, other))
    assert one is not None
    assert two is not None
    assert one[:2] == two[:2] or one.end <= two.start or two.end <= one.start
    for second in (one.start, one.end - 1, (one.start + one.end) // 2):
        fresh = PeriodCache(method, dial=Dial.SECONDS, zone=known)
        assert fresh.at(second) == one.period
        assert as_time(one.period.start) <= known.local(second) < as_time(one.period.end)


@settings(max_examples=300)
@given(MOMENTS, st.sampled_from(ZONES), st.sampled_from(METHODS))
def test_bounds_are_the_first_moments_of_periods(moment: int, zone: str, method: Method) -> None:
    """One period ends where the next begins: when clocks first show that, or leave its beginning out."""
    known = Zone(zone)
    period = PeriodCache(method, dial=Dial.SECONDS, zone=known).at(moment)
    assert period.since is not None
    assert period.until is not None
    assert known.local(period.since) >= as_time(period.start)
    assert known.local(period.since - 1) < as_time(period.start)
    following = PeriodCache(method, dial=Dial.ZONED, zone=known)[f"{as_time(period.end)}".encode()]
    assert following.start == period.end
    assert following.since == period.until


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Tallinn", "2026-03-29", 23),
        ("Europe/Tallinn", "2026-10-25", 25),
        ("America/Sao_Paulo", "2018-11-04", 23),
        ("Asia/Kolkata", "2026-10-25", 24),
        ("Antarctica/Troll", "2026-03-29", 22),
    ],
)
def test_days_are_as_long_as_they_are(zone: str, day: str, hours: int) -> None:
    """Where clocks are changed they have fewer or more hours."""
    period = PeriodCache("daily", dial=Dial.ZONED, zone=Zone(zone))[f"{day} 12:00:00".encode()]
    assert period.since is not None
    assert period.until is not None
    assert period.until - period.since == hours * 3600


@pytest.mark.parametrize("value", ["2016-12-31 23:59:60", "2016-12-31 24:00", "2016-12-31 23:59:59.9999999"])
def test_a_leap_second_is_of_the_next_day(target: Database, value: str) -> None:
    """As PostgreSQL reads it; where the day as it is written counts, nobody can tell."""
    time = target.value("select %s::timestamp", value)
    assert time == datetime(2017, 1, 1)
    for zone in ("UTC", "Asia/Kolkata"):
        periods = PeriodCache("hourly", dial=Dial.ZONED, zone=Zone(zone))
        assert periods[value.encode()].start == time
        assert periods[f"{value}+00".encode()] == periods.at(datetime(2017, 1, 1, tzinfo=UTC).timestamp())
    assert PeriodCache("hourly")[value.encode()].suffix == "2017_01_01_00"
    with pytest.raises(ValueError, match="is no date in ISO style"):
        PeriodCache("daily")[value.encode()]


@pytest.mark.parametrize("value", ["2026-11-24 10:00:00 CEST", "2026-11-24 10:00:00+99", "x", "infinity"])
def test_a_moment_that_is_none_is_refused(value: str) -> None:
    """An abbreviation may mean several zones."""
    with pytest.raises(ValueError, match=r"its (partition value|zone|offset) '.+' is no"):
        PeriodCache("daily", dial=Dial.ZONED, zone=Zone("UTC"))[value.encode()]


@pytest.mark.parametrize("value", ["", "1e9", "x", "2026-11-24", "99999999999999", "1.", "--1"])
def test_a_number_that_is_none_is_refused(value: str) -> None:
    """Dates are none, and years of five digits have no partitions."""
    with pytest.raises(ValueError, match="no number of seconds of the years 1 to 9998"):
        PeriodCache("daily", dial=Dial.SECONDS, zone=Zone("UTC"))[value.encode()]


def test_times_without_a_zone_never_meet_moments() -> None:
    """They are another line of seconds."""
    first, last = (datetime(year, 1, 1, tzinfo=UTC).timestamp() for year in (1, 9999))
    assert LOCAL + first > last
    assert seconds_of(datetime(1970, 1, 2)) == 86400


def test_an_unknown_zone_is_told() -> None:
    """With the nearest one that there is."""
    with pytest.raises(ValueError, match=r"did you mean Europe/Tallinn\?"):
        Zone("Europe/Talinn")
