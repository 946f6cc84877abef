"""The SQL that makes a partition."""

from __future__ import annotations

from collections.abc import Iterator

from psycopg2 import sql

from ...errors import SetupError
from ...events import Dial
from ...postgres import Connection, TableName, queries
from ..missing import MissingTable
from ..partitioning import Partitioning
from ..period import UNITS
from ..tables import Tables
from .clones import CLONERS, Cloner, attach, inherit, stand_alone
from .record import recorded
from .template import Facts, expand, words


class Recipe:
    """Tells how the partitions of a table are made; makes none.

    Args:
        connection: to the target.
        tables: the tables of the target, looked up over the same connection.
        partitioning: how ``dest_table`` is partitioned.
        time_zone: of the source; the days of cloned partitions are days there.
    """

    def __init__(
        self, connection: Connection, tables: Tables, partitioning: Partitioning, time_zone: str
    ) -> None:
        self._connection = connection
        self._tables = tables
        self._partitioning = partitioning
        self._time_zone = time_zone

    def statements(self, missing: MissingTable, cloner: Cloner | None = None) -> tuple[str, ...]:
        """The SQL that creates a table, to be run in one transaction.

        Args:
            missing: the table.
            cloner: clones the parent; None: the one that its settings ask for.

        Raises:
            SetupError: there is no way to create it.
        """
        return self._statements(missing, cloner or self.cloner())

    def cloner(self) -> Cloner | None:
        """What clones the parent; None if nothing does."""
        how = self._partitioning
        if how.template.strip() or not how.field:
            return None
        cloner = CLONERS.get(self._tables.kind(how.parent) or "")
        return stand_alone if cloner and how.kind == "alone" else cloner

    def record(self, missing: MissingTable) -> str:
        """A line for the comment of a new table: its period, if nothing else there tells it; else empty."""
        cloner = self.cloner()
        if missing.period is None or cloner is attach or (cloner is inherit and self._is_sure()):
            return ""
        return recorded(missing.period)

    def _statements(self, missing: MissingTable, cloner: Cloner | None) -> tuple[str, ...]:
        how = self._partitioning
        own = self._own_sql(missing)
        # A template was written for the database's own style of dates.
        texts = ["set local DateStyle to default"]
        if cloner or any(word == "part_time" for text in how.own_sql.values() for _, word in words(text)):
            # The bounds of a timestamptz column are moments; the days of its values are the source's.
            zone = sql.SQL("set local TimeZone to {}").format(sql.Literal(self._time_zone))
            texts.append(zone.as_string(self._connection.session))
        for key in ("pre_part", "part_template", "post_part"):
            if key in own:
                texts.append(own[key])
            elif key == "part_template":
                texts += self._clone(missing, cloner)
        return tuple(texts)

    def _clone(self, missing: MissingTable, cloner: Cloner | None) -> Iterator[str]:
        parent = self._partitioning.parent
        if cloner is None:
            reason = (
                "is no table that can be cloned"
                if self._tables.kind(parent)
                else "does not exist in the target database"
            )
            raise SetupError(f"cannot create tables for {parent}: it {reason}, and there is no part_template")
        for statement in cloner(self._partitioning, missing, self._is_sure()):
            yield statement.as_string(self._connection.session)
        if cloner is not attach:
            yield from self._details(missing.table)

    def _is_sure(self) -> bool:
        """Whether each row of a period has a value within its bounds."""
        how = self._partitioning
        if not how.target or how.dial is not Dial.WRITTEN:
            return False
        with self._connection.cursor() as cursor:
            known = {"table": how.parent.sql, "column": how.target, "by_hour": how.method == "hourly"}
            return bool(queries.value(cursor, "holds_bounds", **known))

    def _details(self, table: TableName) -> Iterator[str]:
        """What gives a child all that users of its parent expect."""
        with self._connection.cursor() as cursor:
            parent = self._partitioning.parent.sql
            for (statement,) in queries.rows(cursor, "clone_details", parent=parent, child=table.sql):
                yield statement

    def _own_sql(self, missing: MissingTable) -> dict[str, str]:
        """What the user has written, by key, with its words replaced."""
        how = self._partitioning
        known = self._tables.columns(how.parent) if how.names_key else {}
        if reason := how.why_no_key(missing.key, known):
            raise SetupError(f"cannot create table {missing.table}: {reason}")
        facts = Facts(
            missing.table,
            how.parent,
            missing.key,
            how.target,
            missing.period.start_text if missing.period else "",
            UNITS[how.method],
        )
        try:
            return {key: expand(text, facts, key) for key, text in how.own_sql.items()}
        except ValueError as error:
            raise SetupError(f"cannot create table {missing.table}: {error}") from error
