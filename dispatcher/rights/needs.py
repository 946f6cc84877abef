"""Which rights to the tables of the target the job's changes need."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet

from ..events import Operation
from ..route import Mode
from ..settings import Settings

Rights = Mapping[Operation, tuple[str, ...]]
"""The rights to a table that each operation needs."""

CHILD: Rights = {
    Operation.INSERT: ("insert",),
    Operation.UPDATE: ("insert", "select", "update"),
    Operation.DELETE: ("select", "delete"),
    Operation.TRUNCATE: (),
}
"""To a partition that is a child of ``dest_table``: rows of its period are written there."""

PARENT: Rights = {
    Operation.INSERT: (),
    Operation.UPDATE: ("select", "delete"),
    Operation.DELETE: ("select", "delete"),
    Operation.TRUNCATE: ("truncate",),
}
"""To a partitioned ``dest_table``: rows are looked for in all partitions, and all are emptied."""

UNATTACHED: Rights = {operation: (*CHILD[operation], *PARENT[operation]) for operation in Operation}
"""To a partition that is not a child of ``dest_table``."""

UNPARTITIONED: Rights = {**CHILD, Operation.TRUNCATE: ("truncate",)}
"""To a ``dest_table`` that is not partitioned."""

_MARKING = ("select", "update")
"""What deletes and truncates need where rows stay."""

STAGED = frozenset({Operation.UPDATE, Operation.DELETE})
"""Changes that always go through a temporary table."""

_DONE: Mapping[Mode, Mapping[Operation, Operation]] = {
    "plain": {operation: operation for operation in Operation},
    "keep_all": dict.fromkeys((Operation.INSERT, Operation.UPDATE), Operation.INSERT),
    "append": dict.fromkeys((Operation.INSERT, Operation.UPDATE, Operation.DELETE), Operation.INSERT),
    # An insert may find a former state of its row.
    "keep_latest": {
        Operation.INSERT: Operation.UPDATE,
        Operation.UPDATE: Operation.UPDATE,
        Operation.DELETE: Operation.DELETE,
    },
}
"""What is done to rows for each operation that is not ignored, by the mode."""

_CREATES = re.compile(r"\bcreate\s+(?:unlogged\s+)?table\b", re.IGNORECASE)
_LINKS = re.compile(r"\b(?:inherits|partition)\b", re.IGNORECASE)


def changes_of(
    settings: Settings, coming: AbstractSet[Operation], mode: Mode, *, fed: bool, only_table: bool
) -> frozenset[Operation]:
    """What the job does to rows of the target, by what may come and what its file lets in.

    Args:
        settings: the job's.
        coming: operations that may come.
        mode: what becomes of them.
        fed: triggers are known to feed the queue; else a truncate would be a producer's own.
        only_table: the rows of one table alone are loaded.
    """
    changes = coming
    if settings.event_types is not None:
        changes &= settings.event_types
    elif not fed:
        changes -= {Operation.TRUNCATE}
    if settings.where is not None and Operation.UPDATE in changes:
        # Rows that no longer match are removed.
        changes |= {Operation.DELETE}
    if settings.deleted_at and Operation.INSERT in changes:
        # A row that comes may be there, as a deleted one.
        changes |= {Operation.UPDATE}
    if not only_table:
        # A truncate of one of several tables becomes a dead letter.
        changes -= {Operation.TRUNCATE}
    return frozenset(_DONE[mode][operation] for operation in changes if operation in _DONE[mode])


def rights_for(changes: Iterable[Operation], rights: Rights, settings: Settings) -> list[str]:
    """The rights that some changes need, each once."""
    wanted = set(changes)
    if settings.inserts_replace:
        # What had the key that a row gets goes.
        rights = {**rights, Operation.UPDATE: (*rights[Operation.UPDATE], "delete")}
    if settings.deleted_at:
        rights = {**rights, **dict.fromkeys((Operation.DELETE, Operation.TRUNCATE), _MARKING)}
    found = (right for operation in Operation if operation in wanted for right in rights[operation])
    return list(dict.fromkeys(found))


def clones(settings: Settings) -> bool:
    """Whether partitions are clones of ``dest_table``."""
    return bool(settings.part_field) and not settings.part_template.strip()


def creates(settings: Settings) -> bool:
    """Whether the job creates tables, where they are missing."""
    return clones(settings) or any(map(_CREATES.search, settings.partitioning.own_sql.values()))


def links(settings: Settings) -> bool:
    """Whether tables that the job creates are children of ``dest_table``, which takes its owner."""
    if not settings.part_field:
        return False
    if clones(settings) and settings.part_kind != "alone":
        return True
    return any(map(_LINKS.search, settings.partitioning.own_sql.values()))
