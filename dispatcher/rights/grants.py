"""SQL that grants the least rights that a job needs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..errors import SetupError
from ..postgres import database_name, queries
from ..settings import Settings
from .ofsource import grants_in_source
from .oftarget import grants_in_target
from .role import role_of

_SIDES = (("source", "src_db", grants_in_source), ("target", "dst_db", grants_in_target))


def grants(settings: Settings, _arguments: Sequence[str] = ()) -> Iterator[str]:
    """The SQL, a part for each database; asks neither.

    Raises:
        SetupError: a name cannot be printed, or a role cannot be told.
    """
    for side, key, statements in _SIDES:
        dsn = getattr(settings, key)
        role, database = role_of(key, dsn), database_name(dsn)
        _refuse_unprintable(settings, role.name, database)
        yield (
            f"-- The {side}: run this in database {database}, as a superuser.\n"
            f"-- Rights of role {role.name} ({role.origin}) for job {settings.job_name}.\n"
            # Whoever runs this must not run what others have put into schema public.
            f"begin;\n{queries.text('own_names')}"
        )
        for text in statements(settings, role.name):
            yield f"\n{text}"
        yield "\ncommit;\n"


def _refuse_unprintable(settings: Settings, *names: str) -> None:
    """What follows the end of a line would not be part of a comment; others are commands to a terminal."""
    tables = [part for its in settings.named() for part in (its.dest_table.schema, its.dest_table.table)]
    for name in (settings.job_name, settings.queue, *tables, *settings.tables, *names):
        if not name.isprintable():
            raise SetupError(f"cannot print rights for {name!a}: a name must have printable characters only")
