"""Periods by value, remembered."""

from __future__ import annotations

from bisect import bisect_right
from datetime import timedelta
from typing import NamedTuple

from ..events import LOCAL, Dial, second_of
from ..postgres import STRICT
from .naming import Method
from .period import Period, as_time, period_at, period_of
from .written import read_time, shown
from .zones import EPOCH_TIME, Zone, seconds_of

_LIMIT = 4096
"""Most stretches remembered; a batch has few."""

_UNITS = {Dial.SECONDS: "seconds", Dial.MILLISECONDS: "milliseconds"}


class Stretch(NamedTuple):
    """Seconds, as `second_of` tells them, that lie in one period; `end` is the first after them."""

    start: int
    end: int
    period: Period


class PeriodCache:
    """The periods of values.

    Args:
        method: the length of periods.
        order: of the fields of dates that are not in ISO style; see `Styles`.
        dial: how a value tells its moment.
        zone: where clocks show the times of periods; None: times are of no zone, and no value tells a moment.

    Attributes:
        present: the period of a batch's rows, if not they tell it but the batch; see `begin`.
    """

    def __init__(
        self, method: Method, order: str = STRICT, dial: Dial = Dial.WRITTEN, zone: Zone | None = None
    ) -> None:
        self.present: Period | None = None
        self._method: Method = method
        self._order = order
        self._dial = dial
        self._zone = zone
        self._starts: list[int] = []
        self._stretches: list[Stretch] = []

    def __getitem__(self, value: bytes | None) -> Period:
        """The period of a value; raises ValueError as `period_of` does."""
        try:
            second = None if value is None else second_of(value, self._dial)
            return self._odd(value) if second is None else self._about(second).period
        except OverflowError as error:
            raise ValueError(f"its partition value {shown(value or b'')} is past the last period") from error

    def stretch(self, value: bytes) -> Stretch | None:
        """The longest stretch with the moment of a value that is easily found; None: the value is odd.

        Raises:
            ValueError: it has no period.
        """
        second = second_of(value, self._dial)
        if second is None:
            return None
        try:
            return self._about(second)
        except OverflowError as error:
            raise ValueError("its period is past the last one") from error

    def at(self, moment: float) -> Period:
        """The period of a moment, in seconds since 1970; raises OverflowError if it is past the last one."""
        return self._about(int(moment // 1)).period

    @property
    def knows_moments(self) -> bool:
        """Whether a moment has a period; else only a time has."""
        return self._zone is not None

    def before(self, period: Period) -> Period:
        """The period that ends where one begins; raises OverflowError if there is none."""
        return period_at(as_time(period.start) - timedelta(seconds=1), self._method, self._zone)

    def after(self, period: Period) -> Period:
        """The period that begins where one ends; raises OverflowError if there is none."""
        return period_at(as_time(period.end), self._method, self._zone)

    def begin(self, moment: float) -> None:
        """A batch begins whose rows are all of one moment; raises OverflowError as `at` does."""
        self.present = self.at(moment)

    def written(self, time: str) -> Period:
        """The period of a time that a server writes in DateStyle ISO, with its offset."""
        if self._zone is None:
            return period_of(time.encode(), self._method)
        found = read_time(time.encode(), STRICT)
        return self.at(seconds_of(found.time) - (found.offset or 0))

    def _odd(self, value: bytes | None) -> Period:
        """The period of a value that is not as triggers write it."""
        if self._dial == Dial.WRITTEN:
            period = period_of(value, self._method, self._order)
            return period_at(as_time(period.start), self._method, self._zone) if self._zone else period
        if unit := _UNITS.get(self._dial):
            text = "NULL" if value is None else f"{shown(value)}, no number of {unit} of the years 1 to 9998"
            raise ValueError(f"its partition value is {text}")
        found = read_time(value, self._order)
        second, offset = seconds_of(found.time), found.offset
        return self._about(second + LOCAL if offset is None else second - offset).period

    def _about(self, second: int) -> Stretch:
        """The stretch that has a second."""
        at = bisect_right(self._starts, second)
        if at and second < self._stretches[at - 1].end:
            return self._stretches[at - 1]
        found = self._local(second) if second > LOCAL // 2 else self._moment(second)
        if len(self._starts) >= _LIMIT:
            self._starts.clear()
            self._stretches.clear()
        at = bisect_right(self._starts, found.start)
        self._starts.insert(at, found.start)
        self._stretches.insert(at, found)
        return found

    def _local(self, second: int) -> Stretch:
        """The stretch of a time."""
        period = period_at(EPOCH_TIME + timedelta(seconds=second - LOCAL), self._method, self._zone)
        start, end = (seconds_of(as_time(bound)) + LOCAL for bound in (period.start, period.end))
        return Stretch(start, end, period)

    def _moment(self, second: int) -> Stretch:
        """The stretch of a moment, during which no clock is changed."""
        assert self._zone is not None, "without a zone no value tells a moment"
        offset = self._zone.offset(second)
        period = period_at(self._zone.local(second), self._method, self._zone)
        start, end = (seconds_of(as_time(bound)) - offset for bound in (period.start, period.end))
        return Stretch(*self._zone.stretch(second, start, end), period)
