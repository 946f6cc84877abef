"""A job type that obeys orders; a file stands for what hosts share, and says whether the job is paused."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field
from tdsup.jobtype import Action, Condition, Context, Metric, Order, Snapshot

TICK = 0.05
"""Seconds between two looks."""


class SetupError(Exception):
    """What a job raises when a restart is pointless."""

    exit_code = 78


class HolderSettings(BaseModel):
    """What a holder can be told."""

    job_name: str
    hold: str = Field(description="A file; while it exists the job is paused, by whoever has made it.")
    deaf: str = Field(default="", description="A file; while it exists the job takes no order.")
    broken: str = Field(default="", description="A file; while it exists, a job that would work is blocked.")


def _mend(settings: HolderSettings, arguments: Sequence[str]) -> Iterable[str]:
    """What was broken is so no more."""
    if "dry-run" not in arguments:
        Path(settings.broken).unlink()
    yield f"{settings.job_name}: {' '.join(arguments) or 'mended'}"


class Holder:
    """The job type."""

    settings = HolderSettings
    metrics = (Metric("rounds", "counter", "Rounds worked"),)
    actions = (Action("rewind", "Mend it.", _mend), Action("skip", "Mend it.", _mend))
    orders = (Order.PAUSE, Order.RESUME)
    about = ""

    def labels(self, _settings: Any) -> Mapping[str, str]:
        """None."""
        return {}

    def claims(self, _settings: Any) -> Mapping[str, str]:
        """Nothing."""
        return {}

    def shares(self, _settings: Any) -> Mapping[str, str]:
        """Nothing."""
        return {}

    def sources(self, _settings: Any) -> Sequence[str]:
        """None."""
        return []

    def targets(self, _settings: Any) -> Sequence[str]:
        """None."""
        return []

    def reads(self, _settings: Any) -> Sequence[tuple[str, str]]:
        """Nothing."""
        return []

    def watched(self, _settings: Any) -> Mapping[str, str]:
        """It looks for itself."""
        return {}

    def watch(self, what: str, jobs: Mapping[str, Any], context: Any) -> None:
        """Never called."""

    def leaving(self, _settings: Any) -> str:
        """Nothing."""
        return ""

    def run(self, settings: Any, context: Context) -> None:
        """Work while the file is not there."""
        context.logger.info("%s", "asked for" if context.asked else "not asked for")
        hold = Path(settings.hold)
        for rounds in itertools.count():
            deaf = settings.deaf and Path(settings.deaf).exists()
            order = None if deaf else context.order()
            if order is Order.PAUSE:
                hold.touch()
            elif order is Order.RESUME:
                hold.unlink(missing_ok=True)
            if hold.exists():
                context.report(Snapshot(Condition.PAUSED, "its file is there", {"rounds": rounds}))
            elif settings.broken and Path(settings.broken).exists():
                raise SetupError("cannot hold: it is broken")
            else:
                context.report(Snapshot(Condition.RUNNING, values={"rounds": rounds}))
            if context.wait(TICK):
                return


HOLDER = Holder()
