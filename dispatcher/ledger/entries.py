"""The rows of several consumers, as one look at the target shows them."""

from __future__ import annotations

from collections.abc import Sequence

from psycopg2 import ProgrammingError

from ..postgres import Connection, queries
from .schema import schema_facts

_IDLE = 1


def owner_is_idle(state: int) -> bool:
    """Whether a consumer's owner has no session until there is news, by its state; see `Entries.look`."""
    return bool(state & _IDLE)


def for_owner(state: int) -> int:
    """What the owner itself wants to know of a state: its own comings and goings are no news."""
    return state & ~_IDLE


class Entries:
    """Looks at the rows of some consumers. Errors of the database are raised as psycopg2's.

    Args:
        connection: to the target.
        consumers: each a queue and a consumer.
    """

    def __init__(self, connection: Connection, consumers: Sequence[tuple[str, str]]) -> None:
        connection.set_session(autocommit=True)
        self._connection = connection
        self._states = dict.fromkeys(consumers, 0)
        self.are_kept = self._are_kept()

    def look(self) -> dict[tuple[str, str], int]:
        """The states that have changed since the last look, by queue and consumer.

        A state is a number that changes with the owner, whether that has died or told of an outage, and what
        pauses or blocks the consumer. Where the target keeps no such rows, nothing ever changes.
        """
        if not self.are_kept:
            self.are_kept = self._are_kept()
            return {}
        queue_names, consumer_names = zip(*self._states, strict=True)
        with self._connection.cursor() as cursor:
            found = queries.rows(
                cursor,
                "changed_entries",
                queues=list(queue_names),
                consumers=list(consumer_names),
                states=list(self._states.values()),
            )
        changed = {(queue, consumer): state for queue, consumer, state in found}
        self._states |= changed
        return changed

    def letters(self) -> dict[tuple[str, str], int]:
        """How many dead letters each consumer has; empty if the role may only write them."""
        with self._connection.cursor() as cursor:
            if not schema_facts(cursor).dead_letters:
                return dict.fromkeys(self._states, 0)
            queue_names, consumer_names = zip(*self._states, strict=True)
            try:
                found = queries.rows(
                    cursor,
                    "count_letters_of_each",
                    queues=list(queue_names),
                    consumers=list(consumer_names),
                )
            except ProgrammingError:
                return {}
        return {(queue, consumer): count for queue, consumer, count in found}

    def _are_kept(self) -> bool:
        with self._connection.cursor() as cursor:
            facts = schema_facts(cursor)
        return facts.consumers and facts.may_use and facts.may_own
