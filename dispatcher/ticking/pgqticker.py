"""The job type ``pgq_ticker``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tdsup.jobtype import Action, Context, Metric, Order, WatchContext

from ..postgres import canonical_dsn, database_name
from .readiness import check
from .tickernumbers import TICKER_METRICS
from .tickerrun import TickerRun
from .tickersettings import TickerSettings

CHECK = Action("check", "Look whether the role may tick; changes nothing.", check)


@dataclass(frozen=True, slots=True)
class PgqTicker:
    """The job type itself; there is one, and it has no state. What is about consumers is not for it."""

    settings: type[TickerSettings] = TickerSettings
    metrics: tuple[Metric, ...] = TICKER_METRICS
    actions: tuple[Action, ...] = (CHECK,)
    orders: tuple[Order, ...] = ()
    about: str = ""

    def labels(self, _settings: TickerSettings) -> Mapping[str, str]:
        """None: a ticker is for all queues."""
        return {}

    def claims(self, settings: TickerSettings) -> Mapping[str, str]:
        """The ticks: a second ticker of one fleet would only stand by."""
        where = database_name(settings.db)
        return {"db": f"the ticker of PgQ in schema {settings.pgq_schema} of database {where}"}

    def shares(self, _settings: TickerSettings) -> Mapping[str, str]:
        """Nothing."""
        return {}

    def sources(self, settings: TickerSettings) -> Sequence[str]:
        """The database with PgQ, in one spelling of its connection string."""
        return (canonical_dsn(settings.db),)

    def targets(self, _settings: TickerSettings) -> Sequence[str]:
        """None."""
        return ()

    def reads(self, _settings: TickerSettings) -> Sequence[tuple[str, str]]:
        """No queue."""
        return ()

    def watched(self, _settings: TickerSettings) -> Mapping[str, str]:
        """Nothing."""
        return {}

    def watch(self, what: str, jobs: Mapping[str, TickerSettings], context: WatchContext) -> None:
        """Is never asked for."""
        raise NotImplementedError

    def leaving(self, _settings: TickerSettings) -> str:
        """Nothing: the lock ends with its session."""
        return ""

    def run(self, settings: TickerSettings, context: Context) -> None:
        """Tick until asked to stop, whenever no other process does.

        Raises:
            SetupError: a person must do something first; its exit_code is 78.
        """
        TickerRun(settings, context).run()


PGQ_TICKER = PgqTicker()
