"""Who works for a consumer, as a person wishes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from ..errors import SetupError
from ..ledger import end_session
from ..settings import Settings
from .desk import Desk, desk, named

PATIENCE = 15.0
"""Seconds within which an ended session must be gone."""

PAUSE = 0.1


def takeover(settings: Settings, _arguments: Sequence[str]) -> Iterator[str]:
    """End the sessions of the process that works for the consumer, and its ownership: a standby goes on."""
    doing = f"take over {named(settings)}"
    with desk(settings, doing) as at:
        entry = at.row.end_sessions()
        if entry is None:
            raise SetupError(f"cannot {doing}: the target keeps no owners; see tdsup schema")
        if entry.owner is None:
            yield f"nobody works for {named(settings)}"
            return
        if entry.source_pid is not None:
            with at.queue.connection.cursor() as cursor:
                end_session(cursor, entry.source_pid, entry.source_start, entry.owner)
        _end_ownership(at)
        yield (
            f"ended the sessions of host {entry.host} and its ownership of {named(settings)}; if its "
            "process wakes, it commits nothing and stands by"
        )


def _end_ownership(at: Desk) -> None:
    """End the ownership once the session is gone; the row may be held until then."""
    deadline = time.monotonic() + PATIENCE
    while True:
        with at.target, at.target.cursor() as cursor:
            wait = at.row.intervene(cursor)
        if wait is None:
            return
        if time.monotonic() > deadline:
            raise SetupError(
                f"cannot {at.doing}: {PATIENCE:g} s after its end there still works {wait.reason}"
            )
        time.sleep(PAUSE)
