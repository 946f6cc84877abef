"""Operators, functions and types that take the place of pg_catalog's where a path names public first."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import tdsup.dispatcher

from harness.servers.database import Database

TRAPPED = "trapped"
"""What every trap's error says."""

PATH = "public, pg_catalog"
"""The search path of a session that looks into schema public first."""

_WORD = re.compile(r"[a-z_][a-z0-9_]*")
_OPERATOR = re.compile(r"[-+*/<>=~!@#%^&|`?]+")

_OPERATORS = """
    select oprname, format_type(oprleft, null), format_type(oprright, null), format_type(oprresult, null)
    from pg_operator
    where oprnamespace = 'pg_catalog'::regnamespace and oprname = any(%s) and oprleft <> 0
        and not exists (select from pg_type where oid in (oprleft, oprright, oprresult) and typtype = 'p')"""

_FUNCTIONS = """
    select proname, pg_get_function_identity_arguments(p.oid), bool_or(proretset),
        min(format_type(prorettype, null))
    from pg_proc p
    where pronamespace = 'pg_catalog'::regnamespace and proname = any(%s) and provariadic = 0
        and not exists (
            select from pg_type where typtype = 'p' and oid = any(proargtypes || prorettype))
    group by p.oid"""

_TYPES = """
    select typname, format_type(oid, null) from pg_type
    where typnamespace = 'pg_catalog'::regnamespace
        and typname = any(%s) and typtype = 'b' and typcategory <> 'Z'"""


def _statements() -> str:
    """All text of the dispatcher in which it may say SQL."""
    folder = Path(tdsup.dispatcher.__path__[0])
    return "\n".join(path.read_text() for kind in ("*.sql", "*.py") for path in folder.rglob(kind))


def _traps(database: Database) -> Iterator[str]:
    said = _statements()
    words, signs = sorted(set(_WORD.findall(said))), sorted({*_OPERATOR.findall(said), "=", "<>"})
    trap = f"language plpgsql as $$begin raise exception '{TRAPPED} by %', {{}}; end$$"
    for number, (name, left, right, result) in enumerate(database.rows(_OPERATORS, signs)):
        function = f"public.trap_{number}"
        yield f"create function {function}({left}, {right}) returns {result} " + trap.format(f"'{name}'")
        yield f"create operator public.{name} (function = {function}, leftarg = {left}, rightarg = {right})"
    for name, arguments, is_set, result in database.rows(_FUNCTIONS, words):
        returns = f"setof {result}" if is_set else result
        yield f'create function public."{name}"({arguments}) returns {returns} ' + trap.format(f"'{name}'")
    for name, full in database.rows(_TYPES, words):
        yield f'create domain public."{name}" as {full} constraint {TRAPPED} check (false)'


def set_traps(database: Database) -> int:
    """Set a trap for everything of pg_catalog that the dispatcher names; returns their number."""
    traps = list(_traps(database))
    database.execute(";\n".join(traps))
    return len(traps)


def trapped(database: Database) -> str:
    """The database's connection string for a session that steps into every trap it meets."""
    return f"{database.dsn} options='-c search_path={PATH.replace(' ', '')}'"
