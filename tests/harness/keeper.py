"""Partitions of a table that tests let go, and who looks after them."""

from __future__ import annotations

from typing import Any

from tdsup.dispatcher.maintenance import Care, Maintenance, Present
from tdsup.dispatcher.metrics import Tally
from tdsup.dispatcher.partitions import Lifespan, Partitioning
from tdsup.dispatcher.postgres import Connection, TableName

from harness.rows.job import HostContext
from harness.servers.database import Database

NOW = 1_800_000_000.0
"""2027-01-15 08:00 UTC."""

NATIVE = (
    "create table t (id int, day date) partition by range (day);"
    "create table t_2026_12_31 partition of t for values from ('2026-12-31') to ('2027-01-01');"
    "create table old partition of t for values from (minvalue) to ('2026-12-31');"
    "create table t_2027_01_14 partition of t for values from ('2027-01-14') to ('2027-01-15')"
)
"""The first two are older than ten days."""

INHERITED = (
    "create table t (id int, day date); create table t_2026_12_31 () inherits (t);"
    "create table old (check (day >= '2026-12-30' and day < '2026-12-31')) inherits (t);"
    "create table t_2027_01_14 () inherits (t)"
)

ALONE = (
    "create table t (id int, day date); create table t_2026_12_31 (like t); "
    "create table t_2026_12_30 (like t); create table t_2027_01_14 (like t)"
)

YOUNG = {"t": None, "t_2027_01_14": "t"}


HOW = ("target", "kind", "method", "name", "template", "zone", "epoch")
"""What may be told of a partitioning."""


class Keeper:
    """Looks after table ``t``; days of column ``day``, unless told otherwise."""

    def __init__(self, connection: Connection, **lifespan: object) -> None:
        how: Any = {"target": "day", "method": "daily", "template": ""}
        how.update((key, lifespan.pop(key)) for key in HOW if key in lifespan)
        partitioning = Partitioning(TableName("public", "t"), "day", **how)
        values = {"period": "10 days", "action": "drop", **lifespan}
        self.care = Care(partitioning, Lifespan(**values), "UTC")  # type: ignore[arg-type]
        self.connection, self.tally, self.context = connection, Tally(), HostContext()

    def process(self, applied: float | None = NOW, now: float = NOW) -> Maintenance:
        """What a new process maintains with."""
        return Maintenance(
            self.connection,
            lambda: [self.care],
            lambda: Present(now, applied),
            "job",
            self.context,
            self.tally,
        )

    def look(self, applied: float | None = NOW, now: float = NOW) -> str:
        """Maintain as a new process does; returns the trouble."""
        made = self.process(applied, now)
        made.work(lambda: None)
        return made.trouble


def tables(target: Database) -> dict[str, str | None]:
    """All tables that there are, each with its parent."""
    return dict(
        target.rows(
            "select c.oid::regclass::text, i.inhparent::regclass::text from pg_class c "
            "left join pg_inherits i on inhrelid = c.oid "
            "where relkind in ('r', 'p') and relnamespace::regnamespace::text in ('public', 'archive')"
        )
    )
