"""What the facts of the tables mean for the job: whether rows can go in, and which rights it lacks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ..events import Operation
from ..partitions import CLONEABLE, Extension
from ..postgres import TableName, hint, quote
from ..rights import (
    CHILD,
    PARENT,
    STAGED,
    UNATTACHED,
    UNPARTITIONED,
    changes_of,
    clones,
    creates,
    links,
    rights_for,
)
from ..route import Mode
from ..settings import Settings
from .finding import Caution, Fault, Finding, Note
from .serverfacts import Server
from .sourcefacts import SourceFacts
from .tablefacts import DestTable, Lack, NewestPartition, Relation, TableFacts

_KINDS = {
    "r": "a table",
    "p": "a partitioned table",
    "v": "a view",
    "f": "a foreign table",
}
"""What rows can be put into, by ``pg_class.relkind``."""

SHOWN = 10
"""Most partitions that are named for one thing."""

_PARENT = re.compile(r"(?<!\w)(?:_PARENT|%\(parent\)s)(?!\w)")


def has_room(tables: TableFacts, settings: Settings, server: Server) -> bool:
    """Whether rows have a table, or one can be created for them."""
    dest = tables.dest
    if dest is None or tables.otherwise:
        return False
    return not (_no_room(dest, settings, server) or _not_cloneable(dest, settings))


def table_findings(
    tables: TableFacts, settings: Settings, server: Server, source: SourceFacts, mode: Mode
) -> Iterator[Finding]:
    """Notes and faults of ``dest_table``, its newest partition and the creation of others."""
    fed, only_table = bool(source.feeders and source.feeders.fed), bool(source.only_table)
    changes = changes_of(settings, source.operations, mode, fed=fed, only_table=only_table)
    stages = bool(changes & STAGED)
    if stages and not server.may_stage:
        yield _may_not_stage(server)
    dest, parent = tables.dest, settings.dest_table
    if dest is None:
        return
    if fault := _no_room(dest, settings, server):
        yield fault
        return
    if dest.relation is not None:
        is_parted = settings.part_field and not dest.extension
        rights = rights_for(changes, PARENT if is_parted else UNPARTITIONED, settings)
        if is_parted and clones(settings) and "select" not in rights:
            rights.append("select")
        # Its owner has all rights.
        wanted = None if _is_to_own(dest, settings) else rights
        yield from _relation(dest.relation, "", wanted, server, stages=stages)
        if dest.extension and settings.part_field:
            yield Note(_whose_partitions(dest.extension, parent))
    else:
        what = "each of its partitions" if settings.part_field else "it"
        yield Note(f"{_no_table(dest, parent)}; part_template creates {what}")
    if tables.otherwise:
        yield Fault(tables.otherwise)
    if tables.other_key:
        yield Caution(
            f"{parent} is partitioned by {tables.other_key}, and not by the time that part_field tells: "
            "PostgreSQL finds the partitions of its rows, and none is made"
        )
    if tables.newest is not None:
        yield from _newest(tables.newest, settings, server, changes)
        yield from _closed(tables, rights_for(changes, CHILD, settings), server)
    yield from _creation(dest, settings, server)


def lack_findings(lacks: Sequence[Lack]) -> Iterator[Fault]:
    """A fault for each column that the job's file names and the table of its rows lacks."""
    for lack in lacks:
        yield Fault(f"{lack.reason}{hint(lack.name, lack.known)}")


def _no_room(dest: DestTable, settings: Settings, server: Server) -> Fault | None:
    """Why rows have no table and none can be created for them, if that is so."""
    parent, template = settings.dest_table, settings.part_template
    if dest.schema is None:
        meant = f" (did you mean table {dest.near}?)" if dest.near else ""
        create = f"create schema {quote(parent.schema)}"
        return Fault(f"there is no schema {parent.schema}{meant}; run there: {create}")
    if not dest.schema.usable:
        return server.grant(f"usage on schema {quote(parent.schema)}")
    if dest.relation is not None:
        return _no_rows(dest.relation)
    if not template.strip():
        return Fault(f"{_no_table(dest, parent)}, and no part_template that would create tables")
    if settings.part_field and (says := _refers_to_parent(settings)):
        return Fault(f"{_no_table(dest, parent)}, which {says}")
    return None


def _refers_to_parent(settings: Settings) -> str:
    """How SQL of the user's refers to the parent; empty if it does not."""
    found = ((key, _PARENT.search(text)) for key, text in settings.partitioning.own_sql.items())
    return next((f"{key} refers to as {match[0]}" for key, match in found if match), "")


def _no_rows(relation: Relation) -> Fault | None:
    """That no rows can be put into a relation, if that is so."""
    return None if relation.kind in _KINDS else Fault(f"{relation.name} is nothing that rows can be put into")


def _no_table(dest: DestTable, parent: TableName) -> str:
    meant = f" (did you mean {dest.near}?)" if dest.near else ""
    return f"there is no table {parent}{meant}"


def _not_cloneable(dest: DestTable, settings: Settings) -> bool:
    """Whether partitions would be clones of something that cannot be cloned."""
    return bool(clones(settings) and dest.relation and dest.relation.kind not in CLONEABLE)


def _newest(
    newest: NewestPartition, settings: Settings, server: Server, changes: frozenset[Operation]
) -> Iterator[Finding]:
    if newest.relation is None:
        yield Note(f"{settings.dest_table} has no partition yet")
        return
    rights = rights_for(changes, CHILD if newest.attached else UNATTACHED, settings)
    yield from _relation(newest.relation, "the newest partition, ", rights, server, stages=True)


def _closed(tables: TableFacts, rights: Sequence[str], server: Server) -> Iterator[Finding]:
    """That partitions but the newest one do not take rows of their times, if that is so."""
    newest = tables.newest.relation.name if tables.newest and tables.newest.relation else None
    closed = [
        (table, lacking)
        for table, denied in tables.closed
        if table != newest and (lacking := [right for right in rights if right in denied])
    ]
    if closed:
        lacking = [right for right in rights if any(right in each for _, each in closed)]
        named = ", ".join(table.sql for table, _ in closed[:SHOWN])
        others = f"; so for {len(closed) - SHOWN} more" if len(closed) > SHOWN else ""
        yield Caution(
            f"role {server.role} lacks rights to some partitions, and a row of their times would block the "
            f"job; run there: grant {', '.join(lacking)} on {named} to {quote(server.role)}{others}"
        )


def _relation(
    relation: Relation, role: str, rights: Sequence[str] | None, server: Server, *, stages: bool
) -> Iterator[Finding]:
    """What a relation is, and the rights that the job lacks.

    Args:
        relation: the relation.
        role: what it is to the job.
        rights: that the job needs; None: it needs all of them, which a fault tells.
        server: the target's.
        stages: it stages rows anyway.
    """
    if fault := _no_rows(relation):
        yield fault
        return
    children = " with children" if relation.has_children and relation.kind == "r" else ""
    yield Note(f"{relation.name} is {role}{_KINDS[relation.kind]}{children}")
    takes_no_copy = relation.kind == "v" or relation.guarded
    needed = list(rights or ())
    # Rows that COPY cannot write are staged in a table like it.
    if takes_no_copy and rights is not None and "select" not in needed:
        needed.append("select")
    if relation.guarded:
        yield Note(
            f"row security of {relation.name} holds for role {server.role}: its policies refuse rows, and "
            f"hide others from changes; without them: alter role {quote(server.role)} bypassrls"
        )
    if lacking := relation.lacking(needed):
        yield server.grant(f"{', '.join(lacking)} on {relation.name.sql}")
    if takes_no_copy and not stages and not server.may_stage:
        yield _may_not_stage(server)


def _creation(dest: DestTable, settings: Settings, server: Server) -> Iterator[Finding]:
    """What the creation of tables needs; nothing if the job never creates one."""
    parent = settings.dest_table
    if dest.relation is not None and (dest.extension or not settings.part_field):
        return
    if dest.schema and not dest.schema.may_create and creates(settings):
        yield server.grant(f"create on schema {quote(parent.schema)}")
    if dest.relation is None or not links(settings):
        return
    if _not_cloneable(dest, settings):
        yield Fault(f"{parent} cannot be cloned for its partitions, and there is no part_template")
    elif _is_to_own(dest, settings):
        yield Fault(
            f"role {server.role} does not own {parent} and cannot make children of it; "
            f"run there: alter table {parent.sql} owner to {quote(server.role)}"
        )


def _is_to_own(dest: DestTable, settings: Settings) -> bool:
    """Whether the role has to become the owner of ``dest_table``, which there is."""
    return bool(dest.relation and not dest.relation.owned and not dest.extension and links(settings))


def _whose_partitions(extension: Extension, parent: TableName) -> str:
    return (
        f"{parent} is {extension.makes}: its rows go through it, and partitions are neither made nor removed"
    )


def _may_not_stage(server: Server) -> Fault:
    return server.grant(f"temporary on database {quote(server.database)}")
