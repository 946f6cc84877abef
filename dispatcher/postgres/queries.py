"""The statements of this folder's ``.sql`` files, by name."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)


def _load() -> dict[str, str]:
    found: dict[str, str] = {}
    for file in files(__package__).iterdir():
        if file.name.endswith(".sql"):
            _, *parts = _NAME.split(file.read_text(encoding="utf-8"))
            found |= zip(parts[::2], parts[1::2], strict=True)
    return found


_QUERIES = _load()


def run(cursor: Cursor, *names: str, pgq: str = "pgq", **parameters: Any) -> None:
    """Execute statements in one round trip; the cursor then has the last one's result.

    Args:
        cursor: of the database.
        *names: of the statements.
        pgq: schema of PgQ, a plain identifier; replaces ``{pgq}`` in the statements.
        **parameters: values of the statements' parameters.
    """
    cursor.execute(_joined(names, pgq), parameters)


def bound(cursor: Cursor, *names: str, pgq: str = "pgq", **parameters: Any) -> bytes:
    """Statements with the values of their parameters, for a cursor to execute often; see `run`."""
    return cursor.mogrify(_joined(names, pgq), parameters)


@lru_cache
def _joined(names: tuple[str, ...], pgq: str = "pgq") -> str:
    return "".join(_QUERIES[name] for name in names).replace("{pgq}", pgq)


def copy_out(
    cursor: Cursor, name: str, table: str, txid: str = "", options: str = "", **parameters: Any
) -> list[bytes]:
    """Execute a query; returns its rows, each as a line of COPY text.

    Args:
        cursor: of the database.
        name: of the query.
        table: name of a table as SQL; replaces ``{table}`` in the query.
        txid: type of transaction numbers; replaces ``{txid}`` in the query.
        options: what ends the COPY.
        **parameters: values of the query's parameters.
    """
    query = _QUERIES[name].replace("{table}", table).replace("{txid}", txid).rstrip().removesuffix(";")
    lines = io.BytesIO()
    copy = b"copy (%b) to stdout%b" % (cursor.mogrify(query, parameters), options.encode())
    cursor.copy_expert(copy, lines)
    return lines.getvalue().splitlines(keepends=True)


def rows_of_each(
    cursor: Cursor, name: str, parts: Iterable[tuple[str, Mapping[str, Any]]], pgq: str
) -> list[tuple[Any, ...]]:
    """Execute a query for several tables in one statement; returns the rows of all.

    Args:
        cursor: of the database.
        name: of the query.
        parts: each the name of a table as SQL, which replaces ``{table}``, and the values of the parameters.
        pgq: as of `run`.
    """
    query = _joined((name,), pgq).rstrip().removesuffix(";")
    looks = [
        cursor.mogrify(query.replace("{table}", table.replace("%", "%%")), values) for table, values in parts
    ]
    if not looks:
        return []
    cursor.execute(b" union all ".join(looks))
    return cursor.fetchall()


_BEFORE, _AFTER = (_QUERIES[name].strip().splitlines()[-1] for name in ("users_names", "own_names_again"))


def for_users(statement: sql.Composable) -> sql.Composed:
    """Statements that run code of the database's users, such as triggers, defaults, checks and a template.

    Only for them are names looked up as the database has it for its users: our own statements name nothing
    outside of pg_catalog without its schema, so that no object of a user takes the place of what they mean.

    Args:
        statement: one or more, whose result is not needed. What it names of pg_catalog, it names in full.
    """
    return sql.SQL(f"{_BEFORE} ") + statement + sql.SQL(f"\n; {_AFTER}")


def for_users_text(statement: str) -> str:
    """The same of a statement that is text already."""
    return f"{_BEFORE} {statement}; {_AFTER}"


def without_names(statement: str) -> str:
    """A statement as a server shows it, without what `for_users` and `change` add, for a person to read."""
    return statement.replace(_BEFORE, "").replace(_AFTER, "").strip("; \n")


def change(cursor: Cursor, statement: sql.Composable, *, by_index: bool = False) -> int:
    """Run one statement as by `for_users`; returns how many rows it changed.

    Args:
        cursor: of the database.
        statement: it.
        by_index: each row of the first table is looked up in an index of the other.
    """
    by_index_before, by_index_after = (
        (_QUERIES["join_by_index"], _QUERIES["join_as_planned"]) if by_index else ("", "")
    )
    cursor.execute(sql.SQL(f"{by_index_before}{_BEFORE} ") + statement)
    count = cursor.rowcount
    cursor.execute(f"{by_index_after}{_AFTER}")
    return count


def text(name: str) -> str:
    """A statement as SQL, with its comment, for a person to run."""
    return _QUERIES[name].strip()


def row(cursor: Cursor, *names: str, **parameters: Any) -> tuple[Any, ...] | None:
    """Execute statements; returns the first row of the last one's result, None if it is empty."""
    run(cursor, *names, **parameters)
    return cursor.fetchone()


def rows(cursor: Cursor, name: str, **parameters: Any) -> list[tuple[Any, ...]]:
    """Execute a statement; returns all rows of its result."""
    run(cursor, name, **parameters)
    return cursor.fetchall()


def value(cursor: Cursor, name: str, **parameters: Any) -> Any:
    """Execute a statement; returns the only value of its only row."""
    found = row(cursor, name, **parameters)
    assert found is not None, f"{name} returns one row"
    return found[0]
