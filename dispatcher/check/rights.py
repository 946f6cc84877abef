"""Which rights to the tables of the target the job's changes need."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..events import Operation
from ..load import Mode
from ..settings import Settings
from .sourcefacts import SourceFacts

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


_ADDED: Mapping[Mode, frozenset[Operation]] = {
    "plain": frozenset({Operation.INSERT}),
    "keep_all": frozenset({Operation.INSERT, Operation.UPDATE}),
    "append": frozenset({Operation.INSERT, Operation.UPDATE, Operation.DELETE}),
}
"""What adds a row, by the mode; besides `plain`, nothing else is done."""


def changes_of(settings: Settings, source: SourceFacts, mode: Mode) -> frozenset[Operation]:
    """What the job does to rows of the target, by what may come and what its file lets in."""
    changes = source.operations
    if settings.event_types is not None:
        changes &= settings.event_types
    elif not (source.feeders and source.feeders.fed):
        changes -= {Operation.TRUNCATE}
    if mode != "plain":
        return frozenset({Operation.INSERT} if changes & _ADDED[mode] else ())
    # A truncate of one of several tables becomes a dead letter.
    return changes if source.only_table else changes - {Operation.TRUNCATE}


def rights_for(changes: Iterable[Operation], rights: Rights) -> list[str]:
    """The rights that some changes need, each once."""
    wanted = set(changes)
    found = (right for operation in Operation if operation in wanted for right in rights[operation])
    return list(dict.fromkeys(found))
