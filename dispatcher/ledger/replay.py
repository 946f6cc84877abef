"""A dead letter that is tried again; the ledger's kind of `Work`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, Protocol

from psycopg2.extensions import cursor as Cursor

from ..postgres import queries
from .deadletters import DeadLetter, DeadLetters


class LeftOut(Protocol):
    """What became of the event."""

    @property
    def left_out(self) -> str:
        """Why the settings leave it out; empty if they do not."""


class Replay:
    """A dead letter that is tried again: if its event is loaded it is removed, else it gets the new reason.

    Args:
        dead_letters: of the consumer.
        letter: id of the dead letter.
        zone: time zone of the source, in which the event's time is written.
    """

    stream: ClassVar[None] = None
    """One event makes no blocks."""
    ticks: ClassVar = 1
    is_letter: ClassVar = True

    moment = 0.0
    """When it became a dead letter, which was soon after its batch's tick, in seconds since 1970."""

    def __init__(self, dead_letters: DeadLetters, letter: int, zone: str) -> None:
        self.name = f"dead letter {letter}"
        self._dead_letters = dead_letters
        self._letter = letter
        self._zone = zone
        self._event = b""
        self._stays = False

    def begin(self, cursor: Cursor) -> bool:
        """Lock the letter and read its event; False if somebody has removed it."""
        self._stays = False
        taken = self._dead_letters.take(cursor, self._letter, self._zone)
        self._event, self.moment = taken or (b"", 0.0)
        return taken is not None

    def end(self, cursor: Cursor, outcome: LeftOut) -> None:
        """Remove the letter, unless it stays."""
        if outcome.left_out:
            self._dead_letters.explain(cursor, self._letter, outcome.left_out, None)
        elif not self._stays:
            self._dead_letters.delete(cursor, [self._letter])
        # Deferred triggers of users run at the commit.
        queries.run(cursor, "users_names")

    def read(self, receive: Callable[[bytes], object], ids: Sequence[int] = ()) -> None:
        """Hand over the event."""
        assert not ids
        receive(self._event)

    def can_keep(self) -> bool:
        """Always: the letter is in its place."""
        return True

    def keep(self, cursor: Cursor, letters: Sequence[DeadLetter]) -> None:
        """Keep the letter, with its new reason."""
        (letter,) = letters
        self._dead_letters.explain(cursor, self._letter, letter.reason, letter.sqlstate)
        self._stays = True
