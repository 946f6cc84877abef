"""What the job's role needs in the target database."""

from __future__ import annotations

from collections.abc import Iterator

from ..events import Operation
from ..ledger import schema_sql
from ..postgres import quote
from ..settings import Settings
from .needs import (
    CHILD,
    PARENT,
    STAGED,
    UNATTACHED,
    UNPARTITIONED,
    changes_of,
    creates,
    links,
    rights_for,
)
from .sqltexts import each, literal, on_database

_DEST = """
select format({statement}, c.oid::regclass, {role})
from pg_class c join pg_namespace n on n.oid = relnamespace
where nspname = {schema} and relname = {table}
"""

_PARTITIONS = """
select format({statement}, c.oid::regclass, {role})
from pg_class c join pg_namespace n on n.oid = relnamespace
where nspname = {schema} and relkind in ('r', 'p', 'f') and relname ~ {pattern}
"""

_TREE = """
select format({statement}, relid, {role})
from pg_partition_tree(to_regclass({dest})) where level > 0 and isleaf is {is_leaf}
"""

_REFERENCED = """
select distinct format('grant references on %s to %I', confrelid::regclass, {role})
from pg_constraint join pg_class c on c.oid = conrelid join pg_namespace n on n.oid = relnamespace
where nspname = {schema} and relname = {table} and relkind = 'r' and contype = 'f'
"""

_PGQ_EXT = """
select format('grant usage on schema pgq_ext to %I', {role}) from pg_namespace where nspname = 'pgq_ext'
union all
select format('grant execute on function %s to %I', oid::regprocedure, {role})
from pg_proc
where pronamespace = to_regnamespace('pgq_ext') and proname in ('get_last_tick', 'set_last_tick')
union all
select format('grant select, insert, update, delete on pgq_ext.completed_tick to %I', {role})
from pg_proc where oid = to_regprocedure('pgq_ext.set_last_tick(text, bigint)') and not prosecdef
"""

_OWN = "alter table %s owner to %I"

_TRUNCATES = "-- And truncate, if a trigger on truncate feeds the queue.\n"

_UNKNOWN = """\
-- Not told from here: what triggers, defaults, checks and a part_template use (functions, sequences, other
-- tables), and tablespaces. A view, or a table with row security, takes select and temporary besides."""

_LEDGER = ("completed_tick", "consumer", "dead_letter")


def grants_in_target(settings: Settings, role: str) -> Iterator[str]:
    """The statements, each perhaps with a comment before it.

    Args:
        settings: the job's.
        role: its name.
    """
    named = settings.named()
    staged = any(_changes(its) & STAGED for its in named) or len(named) < len(settings.tables)
    # Changes of rows are staged.
    yield on_database("connect, temporary" if staged else "connect", role)
    for its in named:
        yield from _table(its, role)
    for name in settings.sections:
        if name.is_pattern:
            yield (
                f"-- Not told from here: the tables of section [table {name}]. They need the same rights, "
                "and where partitions of them are made or go, ownership too, and create on their schemas."
            )
    yield _UNKNOWN
    yield f"-- What tdsup keeps of its consumers.\n{schema_sql()}"
    tables = ", ".join(f"tdsup.{table}" for table in _LEDGER)
    yield f"grant usage on schema tdsup to {quote(role)};"
    yield (
        "-- Roles that share the schema can change each other's positions and dead letters.\n"
        f"grant select, insert, update, delete on {tables} to {quote(role)};"
    )
    yield f"-- Positions are kept in pgq_ext, if it is there.\n{each(_PGQ_EXT.format(role=literal(role)))}"


def _changes(settings: Settings) -> frozenset[Operation]:
    """What the job does to rows of ``dest_table``."""
    # Of the modes, plain takes most rights.
    mode = "plain" if settings.row_mode == "auto" else settings.row_mode
    return changes_of(settings, frozenset(Operation), mode, fed=False, only_table=True)


def _table(settings: Settings, role: str) -> Iterator[str]:
    """What ``dest_table`` and its partitions need."""
    dest, changes = settings.dest_table, _changes(settings)
    known = {
        "role": literal(role),
        "to": quote(role),
        "schema": literal(dest.schema),
        "table": literal(dest.table),
        "dest": literal(dest.sql),
        "pattern": literal(settings.partitioning.naming.pattern),
    }
    create = ", create" if creates(settings) else ""
    yield f"grant usage{create} on schema {quote(dest.schema)} to {quote(role)};"
    is_parent, adds = links(settings), settings.on_new_column == "add"
    if is_parent or adds:
        what = "adds columns" if adds else "makes children of a table"
        owns = f"-- Who {what} owns it. Grant its former owner what he needs.\n"
        yield owns + _on_dest(settings, _OWN, known)
    elif needed := rights_for(changes, PARENT if settings.part_field else UNPARTITIONED, settings):
        may_come = "" if settings.event_types is not None else _TRUNCATES
        yield may_come + _on_dest(settings, _granting(needed), known)
    needed = rights_for(changes, CHILD if is_parent else UNATTACHED, settings)
    if settings.part_field and (adds or needed):
        statement = _OWN if adds else _granting(needed)
        made = "-- Partitions that are there; the role owns those that it makes.\n"
        there = _TREE if settings.part_by else _PARTITIONS
        yield made + each(there.format(statement=literal(statement), is_leaf=True, **known))
    if settings.part_by:
        owns = "-- And list partitions, which get partitions of their own.\n"
        yield owns + each(_TREE.format(statement=literal(_OWN), is_leaf=False, **known))
    if is_parent:
        yield f"-- Foreign keys are made anew for each child.\n{each(_REFERENCED.format(**known))}"


def _granting(rights: list[str]) -> str:
    return f"grant {', '.join(rights)} on %s to %I"


def _on_dest(settings: Settings, statement: str, known: dict[str, str]) -> str:
    """Run a statement for ``dest_table``, which a template may do without."""
    if settings.part_template.strip() and not links(settings):
        return each(_DEST.format(statement=literal(statement), **known))
    return statement.replace("%I", "%s") % (settings.dest_table.sql, known["to"]) + ";"
