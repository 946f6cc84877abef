"""The statements of ``queries.sql``, by name."""

from __future__ import annotations

import io
import re
from importlib.resources import files
from typing import Any

from psycopg2.extensions import cursor as Cursor

_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)


def _load() -> dict[str, str]:
    text = files(__package__).joinpath("queries.sql").read_text(encoding="utf-8")
    _, *parts = _NAME.split(text)
    return dict(zip(parts[::2], parts[1::2], strict=True))


_QUERIES = _load()


def run(cursor: Cursor, *names: str, pgq: str = "pgq", **parameters: Any) -> None:
    """Execute statements in one round trip; what is returned is the last one's.

    Args:
        cursor: where.
        *names: of the statements.
        pgq: schema of PgQ, a plain identifier; stands for ``{pgq}`` in the statement.
        **parameters: values of the statement's parameters.
    """
    cursor.execute("".join(_QUERIES[name] for name in names).replace("{pgq}", pgq), parameters)


def copy_out(cursor: Cursor, name: str, table: str, **parameters: Any) -> list[bytes]:
    """The rows of a query, each as COPY writes it.

    Args:
        cursor: where.
        name: of the query.
        table: as SQL; stands for ``{table}`` in the query.
        **parameters: values of the query's parameters.
    """
    query = _QUERIES[name].replace("{table}", table).rstrip().removesuffix(";")
    lines = io.BytesIO()
    cursor.copy_expert(b"copy (" + cursor.mogrify(query, parameters) + b") to stdout", lines)
    return lines.getvalue().splitlines(keepends=True)


def row(cursor: Cursor, *names: str, **parameters: Any) -> tuple[Any, ...] | None:
    """Execute them and return the first row of the last, None if there is none."""
    run(cursor, *names, **parameters)
    return cursor.fetchone()


def rows(cursor: Cursor, name: str, **parameters: Any) -> list[tuple[Any, ...]]:
    """Execute it and return all rows."""
    run(cursor, name, **parameters)
    return cursor.fetchall()


def value(cursor: Cursor, name: str, **parameters: Any) -> Any:
    """Execute it and return the only value of its only row."""
    found = row(cursor, name, **parameters)
    assert found is not None, f"{name} returns one row"
    return found[0]
