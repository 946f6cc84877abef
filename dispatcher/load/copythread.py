"""The thread that loads rows of the block path while another one fetches and decodes."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from types import TracebackType
from typing import Self

import psycopg2
from psycopg2.extensions import cursor as Cursor

from ..errors import is_data
from ..write import Insert
from .handoff import Handoff
from .passes import End, PassFailed


class CopyThread:
    """Writes rows by COPY, in a thread that starts once there is enough to write. The context ends it.

    Args:
        cursor: of the target.
        limit: most bytes of rows held.
        bad_states: see `is_data`.
    """

    def __init__(self, cursor: Cursor, limit: int, bad_states: AbstractSet[str] = frozenset()) -> None:
        self._cursor = cursor
        self._bad_states = bad_states
        self._handoff = Handoff[Insert](limit)
        self._thread: threading.Thread | None = None
        # The connection to the target serves one thread at a time.
        self._turn = threading.Lock()
        self._error: BaseException | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.abandon()
        if self._thread is not None:
            self._thread.join()

    @contextmanager
    def interrupted(self) -> Iterator[None]:
        """Keep the thread from the connection to the target, for use in this one; raises as `put` does."""
        with self._turn:
            self._raise()
            yield

    def put(self, writer: Insert, text: bytes) -> None:
        """Hand over rows; waits while too many are held.

        Args:
            writer: what writes them.
            text: COPY text of whole rows.

        Raises:
            PassFailed: the target has refused a row.
            Exception: anything else that ended the loading.
        """
        self._raise()
        self._handoff.put(writer, text)
        if self._thread is None and self._handoff.is_worth_loading:
            thread = threading.Thread(target=self._load, name="load")
            thread.start()
            self._thread = thread
        self._handoff.wait()

    def finish(self) -> None:
        """Load what is left; raises as `put` does."""
        self._handoff.close()
        if self._thread is not None:
            self._thread.join()
        else:
            self._load()
        self._raise()

    def abandon(self) -> None:
        """Load nothing more."""
        self._handoff.abandon()

    def _raise(self) -> None:
        if self._error is not None:
            raise self._error

    def _load(self) -> None:
        """Load rows as they come. An error is kept: without the rest, the batch must not be committed."""
        try:
            while self._error is None and (taken := self._handoff.take()):
                # Whoever has the turn next must see the error.
                with self._turn:
                    self._write(*taken)
        except BaseException as error:  # noqa: BLE001 (raised in the other thread)
            self._error = error
        if self._error is not None:
            self.abandon()

    def _write(self, writer: Insert, texts: Sequence[bytes]) -> None:
        try:
            writer.write(self._cursor, texts, 0)
        except BaseException as error:  # noqa: BLE001 (raised in the other thread)
            refused = isinstance(error, psycopg2.Error) and is_data(error, self._bad_states)
            self._error = PassFailed(End.REFUSED) if refused else error
