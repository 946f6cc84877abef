"""What is to be done about partitions, decided; nothing is done here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ..partitions import Lifespan, detached, is_detached, mark, with_line, without_mark
from ..postgres import TableName, quote
from .inventory import Partition
from .moving import Rename

CONCURRENTLY = 140_000
"""Version of PostgreSQL from which on a partition can be detached while others read its parent."""

_KINDS = {"f": "foreign table"}
"""What a relation is called in SQL, by ``pg_class.relkind``, if it is no table."""


class Deed(StrEnum):
    """What is done to a partition."""

    KEEP = "keep"
    DROP = "drop"
    DETACH = "detach"
    MOVE = "move"
    FINALIZE = "finalize"
    """Its detach has begun and is brought to an end."""

    UNMARK = "unmark"
    """The comment that it is to be dropped is removed."""

    @property
    def goes(self) -> bool:
        """Whether the partition has rows no longer, after that."""
        return self in {Deed.DROP, Deed.DETACH, Deed.MOVE}


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a partition next.

    Attributes:
        partition: it.
        deed: what is done to it.
        why: a reason for people; empty: there is nothing to say.
        is_barred: it is kept only as the role may not do more to it.
        renames: what is called otherwise before it is moved.
    """

    partition: Partition
    deed: Deed
    why: str = ""
    is_barred: bool = False
    renames: tuple[Rename, ...] = ()

    @property
    def name(self) -> str:
        """What the partition is called after that."""
        table = self.partition.table
        return next((each.new for each in self.renames if each.name == table), table.table)


@dataclass(frozen=True, slots=True)
class Step:
    """A part of a deed that is done whole or not at all.

    Attributes:
        statements: SQL, in order.
        alone: the only statement commits by itself, and may wait long for others but keeps none waiting; else
            all are one transaction, which must be short.
        is_end: rows are gone after it.
    """

    statements: tuple[str, ...]
    alone: bool = False
    is_end: bool = False


def decide(
    partitions: Sequence[Partition], parent: TableName, lifespan: Lifespan, until: float | None
) -> list[Decision]:
    """What becomes of each partition, the oldest one first, however many go.

    Args:
        partitions: all that there are.
        parent: the table.
        lifespan: how long they are to be kept.
        until: those that end by that moment go; None: none goes.
    """
    wanted = [
        _permitted(Decision(each, *_deed(each, lifespan, until, parent)))
        for each in sorted(partitions, key=_age)
    ]
    going = {each.partition.table for each in wanted if each.deed.goes}
    return [
        Decision(each.partition, Deed.KEEP, f"goes with {each.partition.parent}")
        if each.partition.parent in going
        else each
        for each in wanted
    ]


def _permitted(decision: Decision) -> Decision:
    """A decision that the role may carry out: what is done before it is not done for tables of strangers."""
    if decision.deed is Deed.KEEP or decision.partition.is_owned:
        return decision
    return Decision(decision.partition, Deed.KEEP, "another role owns it, or its parent", is_barred=True)


def some_of(tables: Sequence[TableName]) -> str:
    """Partitions, for a sentence."""
    return f"partition {tables[0]}" + (f" and {len(tables) - 1} others" if len(tables) > 1 else "")


def doubt_of(decisions: Sequence[Decision]) -> Iterator[str]:
    """What is to be said of partitions whose bounds may count another unit of time."""
    if doubted := [each.partition.table for each in decisions if each.partition.is_doubted]:
        yield f"{some_of(doubted)} will not go: by part_epoch the bounds are of 1970, and the name is not"


def within(limit: int, decisions: Sequence[Decision]) -> list[Decision]:
    """The decisions that are carried out at one time, if all can be: those of more partitions come later."""
    found = []
    for decision in decisions:
        if decision.deed.goes and not limit:
            found.append(Decision(decision.partition, Deed.KEEP, "goes later (retention_limit)"))
        else:
            limit -= decision.deed.goes
            found.append(decision)
    return found


def _age(partition: Partition) -> tuple[float, float, TableName]:
    """The oldest ones come first, those with a longer time before their parts."""
    bounds = partition.bounds
    if bounds is None:
        return float("inf"), 0.0, partition.table
    return bounds.end_moment, bounds.start_moment, partition.table


def _deed(
    partition: Partition, lifespan: Lifespan, until: float | None, parent: TableName
) -> tuple[Deed, str]:
    """What the age of a partition asks for, and why."""
    if not lifespan.ends or partition.table == parent:
        return Deed.KEEP, ""
    if partition.is_pending:
        return Deed.FINALIZE, "its detach has begun"
    if partition.is_marked and lifespan.action != "drop":
        return Deed.UNMARK, "it is not to be dropped any more"
    if partition.is_marked and partition.parent is not None:
        return Deed.UNMARK, "its detach has not begun"
    if partition.is_default:
        return Deed.KEEP, "is the default partition"
    if partition.has_parts:
        return Deed.KEEP, "has partitions of its own"
    if partition.is_shared:
        return Deed.KEEP, "is a child of a table of others, too"
    if partition.bounds is None:
        return Deed.KEEP, "its bounds cannot be read"
    if partition.is_doubted:
        return Deed.KEEP, "its bounds are of 1970 by part_epoch, and its name is not"
    if (
        partition.parent is None
        and not partition.is_marked
        and (partition.is_native or lifespan.action == "detach" or is_detached(partition.comment))
    ):
        return Deed.KEEP, "is detached"
    if partition.parent is None and lifespan.action == "move" and partition.table.schema == lifespan.schema:
        return Deed.KEEP, "is in retention_schema already"
    if until is None or partition.bounds.end_moment > until:
        return Deed.KEEP, "is detached, and to be dropped later" if partition.is_marked else ""
    if partition.is_marked:
        return Deed.DROP, "it is detached"
    return Deed(lifespan.action), f"ended more than {lifespan.period} ago"


def steps(
    decision: Decision, parent: TableName, lifespan: Lifespan, version: int, prepared: str = ""
) -> tuple[Step, ...]:
    """How a deed is done.

    Args:
        decision: it.
        parent: the table that the job loads.
        lifespan: where partitions are moved to.
        version: of the server, as ``server_version_num``.
        prepared: its rows as they were prepared; see `Partition`.
    """
    partition = decision.partition
    table, kind = partition.table.sql, _KINDS.get(partition.kind, "table")
    if decision.deed is Deed.FINALIZE:
        return (Step((_detach(partition, "finalize"),), alone=True),)
    if decision.deed is Deed.UNMARK:
        return (Step((_comment(partition, without_mark(partition.comment, parent)),)),)
    if decision.deed is Deed.KEEP:
        return ()
    ends = {
        Deed.DROP: (f"drop {kind} {table}",),
        Deed.MOVE: tuple(_move(decision, kind, lifespan.schema)),
        # What was detached from a native parent shows as such.
        Deed.DETACH: ()
        if partition.is_native
        else (_comment(partition, with_line(partition.comment, detached(parent))),),
    }[decision.deed]
    is_end = decision.deed is Deed.DROP
    if partition.parent is None:
        return (Step(ends, is_end=is_end),)
    if not partition.is_native:
        return (Step((f"alter {kind} {table} no inherit {partition.parent.sql}", *ends), is_end=is_end),)
    if partition.beside_default or version < CONCURRENTLY:
        return (Step((_detach(partition), *ends), is_end=is_end),)
    comment = mark(parent, partition.facts(prepared)) if is_end else ""
    return tuple(_concurrent(decision, comment, lifespan, ends))


def _concurrent(
    decision: Decision, comment: str, lifespan: Lifespan, ends: tuple[str, ...]
) -> Iterator[Step]:
    """The same without keeping readers waiting; after a crash between two steps, a later run goes on."""
    partition = decision.partition
    if decision.deed is Deed.MOVE:
        if ends:
            yield Step(ends)
        there = TableName(lifespan.schema, decision.name)
        yield Step((_detach(partition, "concurrently", there),), alone=True)
        return
    if decision.deed is Deed.DROP:
        yield Step((_comment(partition, with_line(partition.comment, comment)),))
    yield Step((_detach(partition, "concurrently"),), alone=True)
    if ends:
        yield Step(ends, is_end=True)


def _comment(partition: Partition, text: str) -> str:
    kind = _KINDS.get(partition.kind, "table")
    return f"comment on {kind} {partition.table.sql} is {literal(text) if text else 'null'}"


def _detach(partition: Partition, how: str = "", table: TableName | None = None) -> str:
    assert partition.parent is not None
    named = (table or partition.table).sql
    return f"alter table {partition.parent.sql} detach partition {named} {how}".rstrip()


def _move(decision: Decision, kind: str, schema: str) -> Iterator[str]:
    # After a crash it may be there already.
    if (table := decision.partition.table).schema != schema:
        for rename in decision.renames:
            yield rename.sql
        yield f"alter {kind} {TableName(table.schema, decision.name).sql} set schema {quote(schema)}"


def back(decision: Decision, schema: str) -> tuple[str, ...]:
    """What undoes a move to a schema, but for the names of what belongs to the partition."""
    kind, table = _KINDS.get(decision.partition.kind, "table"), decision.partition.table
    moved = f"alter {kind} {TableName(schema, decision.name).sql} set schema {quote(table.schema)}"
    if decision.name == table.table:
        return (moved,)
    there = TableName(table.schema, decision.name).sql
    return moved, f"alter {kind} {there} rename to {quote(table.table)}"


def literal(text: str) -> str:
    """A text as SQL, where backslashes mean themselves."""
    return "'" + text.replace("'", "''") + "'"
