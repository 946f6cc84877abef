"""Rows of the block path on their way into the tables: what has been folded is merged while more is read."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import psycopg2
from psycopg2.extensions import cursor as Cursor

from ..errors import is_data
from ..events import Act
from ..write import Replace, Writer, move
from .passes import End, PassFailed

ORDER = (
    Act.FIND_ABSENT,
    Act.DELETE,
    Act.LEAVE,
    Act.REMOVE,
    Act.REMOVE_PRESENT,
    Act.MARK,
    Act.PATCH,
    Act.REPLACE,
    Act.INSERT,
)
"""What makes room comes first, so that a value that must be unique may pass from one row to another."""

COMING = (Act.INSERT, Act.MARK, Act.PATCH, Act.REPLACE)
"""Acts that add and change rows: of several tables, those come first to which others refer."""

GOING = ORDER[:5]
"""Acts that remove rows: of several tables, those come first that refer to others."""

PARENTS_FIRST = (*COMING, *GOING)
"""The order for a table that refers to itself: what is referred to is there before, and gone after."""


@dataclass(slots=True)
class Step:
    """Rows to which the same is done, and which are copied at once.

    Attributes:
        act: what is done to them.
        counts: how many rows each of the writers has.
        texts: all of them, as COPY text.
    """

    act: Act
    counts: dict[Writer, int]
    texts: list[bytes]


Rounds = Sequence[Sequence[Step]]
"""Steps in the order in which they are done; those of one round do the same to rows of one table."""


def rounds_of(steps: Sequence[Step], order: Sequence[Act]) -> list[list[Step]]:
    """Those steps of one table that are acts of an order, in that order."""
    rounds = ([step for step in steps if step.act is act] for act in order)
    return [found for found in rounds if found]


class Merging:
    """Merges rows in a thread of its own; the context ends it.

    Only one thread uses the connection to the target at a time: `wait` before any other use.

    Args:
        cursor: of the target.
        bad_states: see `is_data`.

    Attributes:
        absent: how many rows were not there so far, by the act that would have removed them.
    """

    def __init__(self, cursor: Cursor, bad_states: AbstractSet[str] = frozenset()) -> None:
        self._cursor = cursor
        self._bad_states = bad_states
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None
        self.absent: Counter[Act] = Counter()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._thread is not None:
            self._thread.join()

    @property
    def is_idle(self) -> bool:
        """Whether `wait` would return at once."""
        return self._thread is None or not self._thread.is_alive()

    def wait(self) -> None:
        """Wait until all is merged.

        Raises:
            PassFailed: the target has refused a row.
            Exception: anything else that ended the merging.
        """
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if self._error is not None:
            raise self._error

    def start(self, rounds: Rounds) -> None:
        """Begin to merge some rows; raises as `wait` does."""
        self.wait()
        thread = threading.Thread(target=self._merge, args=(rounds,), name="merge")
        thread.start()
        self._thread = thread

    def run(self, rounds: Rounds) -> None:
        """Merge some rows in this thread; raises as `wait` does."""
        self.wait()
        self._merge(rounds)
        self.wait()

    def _merge(self, rounds: Rounds) -> None:
        """Merge rows. An error is kept: without the rest, the batch must not be committed."""
        try:
            for steps in rounds:
                self._take(steps)
        except BaseException as error:  # noqa: BLE001 (raised in the other thread)
            refused = isinstance(error, psycopg2.Error) and is_data(error, self._bad_states)
            self._error = PassFailed(End.REFUSED) if refused else error

    def _take(self, steps: Sequence[Step]) -> None:
        """Merge rows to which the same is done."""
        left = []
        for step in steps:
            for number, (writer, count) in enumerate(step.counts.items()):
                if not number:
                    writer.fill(self._cursor, step.texts)
                if not isinstance(writer, Replace):
                    self._judge(step.act, count, writer.apply(self._cursor, count))
                elif writer.update(self._cursor, count):
                    left.append(writer)
        if left:
            move(self._cursor, left)

    def _judge(self, act: Act, count: int, absent: int) -> None:
        """See whether the rows were there that had to be, and the others not."""
        if act in {Act.DELETE, Act.LEAVE, Act.MARK}:
            self.absent[act] += absent
        present = absent < count
        if (act is Act.FIND_ABSENT and present) or (act in {Act.PATCH, Act.REMOVE_PRESENT} and absent):
            raise PassFailed(End.REFUSED)
