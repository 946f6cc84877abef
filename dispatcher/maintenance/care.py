"""The partitions of one table, as they are looked after."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ..partitions import Extension, Lifespan, MissingTable, Partitioning, Tables, extension_of
from ..postgres import Connection, queries
from .agenda import Decision, Deed, decide
from .calendar import Calendar
from .inventory import read_inventory
from .moving import renames
from .present import Present, horizon


@dataclass(frozen=True, slots=True)
class Care:
    """A table whose partitions are looked after.

    Attributes:
        partitioning: how it is partitioned.
        lifespan: from when to when its partitions exist.
        zone: time zone of days that have none of their own.
    """

    partitioning: Partitioning
    lifespan: Lifespan
    zone: str

    def extension(self, connection: Connection) -> Extension | None:
        """What looks after the partitions instead; None: nothing does."""
        with connection.cursor() as cursor:
            return extension_of(cursor, self.partitioning.parent)

    def refusals(self, extension: Extension) -> Iterator[str]:
        """What is asked for that an extension looks after, each with what to do instead."""
        parent = self.partitioning.parent
        if self.lifespan.premake:
            yield extension.why_none_ahead(parent)
        if self.lifespan.ends:
            yield extension.why_none_goes(parent)

    def decisions(self, connection: Connection, present: Present) -> list[Decision]:
        """What becomes of each partition now; of none by its age, if the present moment is in doubt."""
        lifespan = self.lifespan
        if extension := self.extension(connection):
            found = read_inventory(connection, self.partitioning, self.zone, present.moment)
            return [Decision(each, Deed.KEEP, f"{extension.name} looks after it") for each in found]
        until = None
        if lifespan.ends and not present.doubt:
            zone = self.partitioning.zone or self.zone
            until = horizon(connection, present, lifespan.period, zone)
        found = read_inventory(connection, self.partitioning, self.zone, present.moment)
        decisions = decide(found, self.partitioning.parent, lifespan, until)
        moving = [each.partition.table for each in decisions if each.deed is Deed.MOVE]
        if not moving:
            return decisions
        named = renames(connection, moving, lifespan.schema)
        return [replace(each, renames=named.get(each.partition.table, ())) for each in decisions]

    def missing(self, connection: Connection, tables: Tables, present: Present) -> Iterator[MissingTable]:
        """The partitions that are to be made ahead, the present one first; in each branch that there is.

        Args:
            connection: to the target.
            tables: looked up over it.
            present: the present moment.
        """
        if not self.lifespan.premake:
            return
        partitioning, parent = self.partitioning, self.partitioning.parent
        with connection.cursor() as cursor:
            names = {"schema": parent.schema, "table": parent.table}
            key = tuple(name for (name,) in queries.rows(cursor, "primary_key", **names))
        calendar = Calendar(connection, partitioning, self.zone)
        for period in calendar.ahead(present.moment, present.latest, self.lifespan.premake):
            for spot in tables.branches.spots(period):
                place = tables.place(spot)
                if place.table is None:
                    # Another job may have just made it: only a part of a period needs another name.
                    named = tables.name_for(spot) if place.gap else self.partitioning.partition(spot)
                    yield MissingTable(named, spot, key, place.gap)

    def seconds_left(self, connection: Connection, present: Present) -> float:
        """Seconds until the present period ends by the target's clock; below 0: the job is far behind."""
        calendar = Calendar(connection, self.partitioning, self.zone)
        return calendar.bounds(calendar.period(present.latest)).end_moment - present.clock
