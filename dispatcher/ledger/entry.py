"""The row of a consumer: who works for it, and what is to be done about that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from psycopg2.extensions import cursor as Cursor

from ..postgres import queries
from .position import Position


@dataclass(frozen=True, slots=True)
class Entry:
    """What the target says of a consumer, and of its owner's session there.

    Attributes:
        epoch: counts the owners.
        owner: identity of the process that owns the consumer; None: nobody.
        host: of that process.
        target_pid: process of its session here; None: it has no sessions at present.
        source_pid: the same in the source.
        source_start: when that session began.
        next_try_in: seconds until an owner without sessions comes back; None: when there is news.
        paused: by whom and since when; None: it is not.
        blocked: what blocks the job; None: nothing does.
        source_cluster: the cluster that it reads; None: not known.
        source_database: the database there; None: not known.
        counters: what it has done in all, by metric.
        row_mode: by what ``row_mode = auto`` has chosen; None: it has not.
        lives: the owner's session is there.
        waits_since: since when that session only waits for its client; empty: it does not, or not for long,
            or that cannot be seen.
        is_visible: the role can see what that session does.
        state: a number that changes with what others want to know; see `Entries.look`.
    """

    epoch: int
    owner: str | None
    host: str | None
    target_pid: int | None
    source_pid: int | None
    source_start: str | None
    next_try_in: float | None
    paused: str | None
    blocked: str | None
    source_cluster: int | None
    source_database: str | None
    counters: dict[str, Any]
    row_mode: dict[str, Any] | None
    lives: bool
    waits_since: str
    is_visible: bool
    state: int

    @property
    def is_idle(self) -> bool:
        """Whether its owner has no session until there is news."""
        return self.owner is not None and self.target_pid is None and self.next_try_in is None


def read_entry(cursor: Cursor, position: Position) -> Entry | None:
    """The row of a consumer; None if there is none. Takes no lock."""
    found = queries.row(cursor, "entry", queue=position.queue, consumer=position.consumer)
    return None if found is None else Entry(*found)


@dataclass(frozen=True, slots=True)
class Wait:
    """Why a process does not work for a consumer.

    Attributes:
        reason: in one line; if another one works, which.
        paused: a person holds the consumer.
        blocked: a person has to mend something first.
        late_in: seconds until it may be over though the consumer's row stays as it is; None: it will not be.
        state: of the row that says so, as `Entry` has it; 0: it was not read.
    """

    reason: str
    paused: bool = False
    blocked: bool = False
    late_in: float | None = None
    state: int = 0

    def of(self, consumer: str) -> str:
        """The reason as a standby tells it."""
        if self.paused or self.blocked:
            return self.reason
        return f"consumer {consumer} works elsewhere: {self.reason}"


def why_wait(entry: Entry, identity: str, *, news_for: float, takeover_after: float) -> Wait | None:
    """Why a process has to wait before it works for a consumer; None: it may become the owner.

    Args:
        entry: the consumer's row.
        identity: of the process.
        news_for: seconds for which the queue has had something to read.
        takeover_after: seconds that an owner without sessions has from when it is expected.
    """
    if entry.paused is not None:
        return Wait(entry.paused, paused=True)
    if entry.blocked is not None:
        return Wait(entry.blocked, blocked=True)
    if entry.owner in {None, identity}:
        return None
    if entry.target_pid is not None:
        return working(entry) if entry.lives else None
    late = news_for if entry.next_try_in is None else -entry.next_try_in
    if late >= takeover_after:
        return None
    return Wait(
        f"host {entry.host}, which has no connection at this moment",
        late_in=None if entry.next_try_in is None and not news_for else takeover_after - late,
    )


def working(entry: Entry) -> Wait:
    """The wait for an owner whose session lives."""
    text = f"host {entry.host}, backend {entry.target_pid} of the target"
    if not entry.is_visible:
        text += "; what it does cannot be seen, run there: grant pg_read_all_stats to this role"
    elif entry.waits_since:
        text += (
            f", which has only waited for its client since {entry.waits_since}; if that process is frozen, "
            "tdsup takeover ends its sessions"
        )
    return Wait(text)
