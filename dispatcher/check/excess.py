"""Rights that a role has and no job needs."""

from __future__ import annotations

from collections.abc import Iterator

from psycopg2.extensions import cursor as Cursor

from ..postgres import queries
from .finding import Caution, Finding
from .look import Look


def excess_findings(look: Look, role: str, *, loads: bool, makes: bool) -> Iterator[Finding]:
    """A warning if the role has more than it needs.

    Args:
        look: at the database.
        role: the job's role there.
        loads: the job loads tables there; some of them may have row security that it is to pass by.
        makes: the job has a schema to make there.
    """

    def read(cursor: Cursor) -> list[str]:
        found: list[str] = queries.value(cursor, "excess", loads=loads, makes=makes)
        return found

    if found := look.read(read):
        yield Caution(f"role {role} {', '.join(found)}, and needs no more than tdsup grants prints")
