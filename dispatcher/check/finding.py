"""What a look at a job's databases finds: facts, and faults that would keep the job from running."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psycopg2
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from ..errors import one_line
from ..postgres import queries

Step = Callable[[Cursor], Iterator[str]]
"""Looks at one thing and yields lines."""


class Findings:
    """Words for what is found in one place.

    Args:
        job: name of the job.
        where: the place, such as ``source``.

    Attributes:
        faults: how many there are so far.
    """

    def __init__(self, job: str, where: str) -> None:
        self._job = job
        self._where = where
        self.faults = 0

    def fact(self, text: str) -> str:
        """The line of something that is as it may be."""
        return f"{self._job}: {self._where}: {text}"

    def server(self, version: str, role: str) -> str:
        """The line of a server that answers."""
        return self.fact(f"PostgreSQL {version.split()[0]}, as role {role}")

    def unwritable(self, *, standby: bool) -> str:
        """The line of a server that does not take changes."""
        reason = "the server is a standby" if standby else "default_transaction_read_only is on"
        return self.fault(f"nothing can be changed there: {reason}")

    def fault(self, text: str) -> str:
        """The line of something that a person has to change."""
        self.faults += 1
        return f"cannot run {self._job}: {self._where}: {text}"


def each(connection: Connection, findings: Findings, *steps: Step) -> Iterator[str]:
    """The lines of all steps, each in a transaction of its own; the database's errors are faults of steps."""
    for step in steps:
        try:
            with connection, connection.cursor() as cursor:
                queries.run(cursor, "be_brief")
                yield from step(cursor)
        except psycopg2.Error as error:
            yield findings.fault(one_line(error))
            if connection.closed:
                break
