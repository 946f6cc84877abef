"""A ticker of type ``pgq_ticker`` that runs in a thread of the test's process."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Any, Self

from tdsup.dispatcher.ticking.pgqticker import PGQ_TICKER
from tdsup.dispatcher.ticking.tickersettings import TickerSettings
from tdsup.jobtype import Snapshot

from harness.rows.job import HostContext
from harness.servers.database import Database
from harness.waiting import wait_until


def ticker_settings(source: Database, **keys: object) -> TickerSettings:
    """Settings as a file would give them: a ticker of short periods, called ``ticker``."""
    values = {"job_name": "ticker", "db": source.dsn, "ticker_period": 0.05}
    periods = {"retry_period": 0.1, "maint_period": 0.1}
    return TickerSettings.model_validate(
        {key: str(value) for key, value in {**values, **periods, **keys}.items()}
    )


class RunningTicker:
    """A ticker that runs until the context ends; what it raised is raised again at that point.

    Args:
        source: the database.
        **keys: of the ticker.

    Attributes:
        context: its host.
    """

    def __init__(self, source: Database, **keys: object) -> None:
        self.context = HostContext()
        self._error: BaseException | None = None
        self._settings = ticker_settings(source, **keys)
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        try:
            PGQ_TICKER.run(self._settings, self.context)
        except BaseException as error:  # noqa: BLE001 (raised again in the test's thread)
            self._error = error

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.context.stop()
        self._thread.join(30)
        assert not self._thread.is_alive(), "the ticker did not stop"
        if self._error is not None and error is None:
            raise self._error

    @property
    def newest(self) -> Snapshot | None:
        """Its newest report."""
        return self.context.reports[-1] if self.context.reports else None

    def value(self, name: str) -> Any:
        """A number of its newest report; None before the first."""
        return self.newest.values.get(name) if self.newest else None

    def wait_for(self, condition: str, reason: str = "") -> Snapshot:
        """Wait until it reports a condition, for a reason that has this text in it; returns the report."""

        def said() -> Snapshot | None:
            if self._error is not None:
                raise self._error
            newest = self.newest
            return newest if newest and newest.condition == condition and reason in newest.reason else None

        found = wait_until(said, f"the ticker is {condition}: {reason}")
        assert found is not None
        return found

    def wait_until_value(self, name: str, least: int) -> None:
        """Wait until a number is at least that."""
        wait_until(lambda: (self.value(name) or 0) >= least, f"{name} is {least}")
