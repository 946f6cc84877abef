"""Old partitions go: what is to be done before, and the deed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from ..errors import one_line
from ..partitions import Lifespan, filled, mark_pattern, take_alone
from ..postgres import Connection, TableName, queries
from .agenda import Decision, Deed, Step, back, literal, steps
from .care import Care
from .inventory import Partition

FOREIGN = "f"
"""``pg_class.relkind`` of a table that is on another server: it cannot be locked."""

PATIENCE = "10s"
"""How long a statement that keeps nobody waiting may wait for others."""

TRIES = 3
"""How often a partition is prepared, if rows come to it all the while."""

RunProgram = Callable[[Sequence[str], Mapping[str, str], float], str]
"""Runs a program; see `Context.run_program`."""


class Kept(Exception):
    """Why a partition stays although its time is over."""


class Remover:
    """Carries decisions out.

    Args:
        connection: to the target; no transaction is open before and after.
        run_program: runs ``retention_program``.
        job: name of the job.
    """

    def __init__(self, connection: Connection, run_program: RunProgram, job: str) -> None:
        self._connection = connection
        self._run_program = run_program
        self._job = job
        self._prepared: dict[TableName, str] = {}

    def remove(self, care: Care, decision: Decision) -> None:
        """Carry one decision out.

        Raises:
            Kept: the partition stays, as something needs it, or what comes before has failed.
            psycopg2.Error: the target refused, or was lost; what is done by then stays done, and a later run
                goes on.
        """
        parent, lifespan = care.partitioning.parent, care.lifespan
        if decision.deed is Deed.DROP:
            self._see_that_none_needs(decision.partition.table)
        prepared = self._prepare(care, decision.partition) if decision.deed.goes else ""
        version = self._connection.session.server_version
        try:
            for step in steps(decision, parent, lifespan, version, prepared):
                if step.is_end:
                    self._end(care, decision.partition, step, prepared)
                else:
                    self._take(step)
        except psycopg2.Error:
            self._unmark(care, decision.partition)
            self._put_back(decision, lifespan.schema)
            raise
        self._prepared.pop(decision.partition.table, None)

    def _unmark(self, care: Care, partition: Partition) -> None:
        """Remove the mark of a partition that stays one; if that fails, too, a later look does it."""
        parent, version = care.partitioning.parent, self._connection.session.server_version
        with suppress(psycopg2.Error):
            with self._connection, self._connection.cursor() as cursor:
                table = partition.table.sql
                is_marked = queries.value(cursor, "is_doomed", table=table, mark=mark_pattern(parent))
                if not (is_marked and queries.value(cursor, "is_attached", table=table)):
                    return
            for step in steps(Decision(partition, Deed.UNMARK), parent, care.lifespan, version):
                self._take(step)

    def _put_back(self, decision: Decision, schema: str) -> None:
        """Put a partition that stays one back to where it was before its detach was refused."""
        if decision.deed is not Deed.MOVE or decision.partition.table.schema == schema:
            return
        there = TableName(schema, decision.name)
        with suppress(psycopg2.Error):
            with self._connection, self._connection.cursor() as cursor:
                if not queries.value(cursor, "is_attached", table=there.sql):
                    return
            self._take(Step(back(decision, schema)))

    def _end(self, care: Care, partition: Partition, step: Step, prepared: str) -> None:
        """Take the step after which rows are gone, but only if all of them were prepared."""
        for _ in range(TRIES):
            if self._take(step, partition, prepared):
                return
            prepared = self._prepare(care, partition)
        raise Kept(
            f"its rows have changed {TRIES} times while retention_sql and retention_program prepared them"
        )

    def _see_that_none_needs(self, table: TableName) -> None:
        """Kept if a table could not be dropped: once detached, nobody who reads its parent sees its rows."""
        with self._connection, self._connection.cursor() as cursor:
            found = [what for (what,) in queries.rows(cursor, "dependants", table=table.sql)]
        if found:
            more = f" and {len(found) - 1} more" if len(found) > 1 else ""
            raise Kept(f"{found[0]}{more} depends on it; drop that, or set retention_action = detach")

    def _prepare(self, care: Care, partition: Partition) -> str:
        """Do what is to be done before, unless that was done with the same rows.

        Returns:
            The rows, if they are to be dropped, so that changes of them are seen.
        """
        lifespan = care.lifespan
        if not lifespan.prepares:
            return ""
        with self._connection, self._connection.cursor() as cursor:
            rows = self._rows(cursor, partition) if lifespan.action == "drop" else ""
        if rows and rows in {partition.prepared, self._prepared.get(partition.table)}:
            return rows
        if lifespan.sql.strip():
            with self._connection, self._connection.cursor() as cursor:
                # What the statements change themselves is no news, and what others do then is none to them.
                queries.run(cursor, "see_one_moment")
                self._run_sql(cursor, prepared(care, partition))
                rows = self._rows(cursor, partition) if rows else ""
        if lifespan.program:
            values = names_of(self._job, care, partition)
            command = [
                *lifespan.program,
                values["TDSUP_PARTITION"],
                values["TDSUP_START"],
                values["TDSUP_END"],
            ]
            if failure := self._run_program(command, values, lifespan.program_limit):
                raise Kept(f"retention_program: {failure}")
        self._prepared[partition.table] = rows
        return rows

    def _run_sql(self, cursor: Cursor, statements: str) -> None:
        """Run ``retention_sql``; Kept if it fails."""
        try:
            cursor.execute(queries.for_users(sql.SQL(statements)))
        except psycopg2.Error as error:
            if self._connection.closed or error.pgcode is None:
                raise
            raise Kept(f"retention_sql: {one_line(error)}") from error

    def _rows(self, cursor: Cursor, partition: Partition) -> str:
        """What is another text if rows were added, changed or removed: their count, and who has written them.

        Transactions have ever greater numbers, so that a new row in the place of another one shows.
        """
        table = partition.table.sql
        newest = "sum(xmin::text::int8)" if queries.value(cursor, "has_versions", table=table) else "0"
        counted = sql.SQL("select count(*) || ' ' || coalesce({newest}, 0) from {table}")
        cursor.execute(counted.format(newest=sql.SQL(newest), table=sql.SQL(table)))
        (rows,) = cursor.fetchone() or ("",)
        return str(rows)

    def _take(self, step: Step, partition: Partition | None = None, prepared: str = "") -> bool:
        """Take a step; returns False if it was not, as the rows of a partition are not those prepared."""
        if step.alone:
            take_alone(self._connection, step.statements[0], PATIENCE)
            return True
        with self._connection, self._connection.cursor() as cursor:
            queries.run(cursor, "wait_shortly")
            if partition and prepared:
                if partition.kind != FOREIGN:
                    # From here on writers wait, and readers do not.
                    cursor.execute(f"lock table {partition.table.sql} in share mode")
                if self._rows(cursor, partition) != prepared:
                    return False
            for statement in step.statements:
                cursor.execute(queries.for_users(sql.SQL(statement)))
        return True


def prepared(care: Care, partition: Partition) -> str:
    """``retention_sql`` for a partition."""
    bounds = partition.bounds
    assert bounds is not None
    words = {
        "part": partition.table.sql,
        "parent": care.partitioning.parent.sql,
        "start": literal(_plain(bounds.start)),
        "end": literal(_plain(bounds.end)),
    }
    return filled(care.lifespan.sql, words)


def names_of(job: str, care: Care, partition: Partition) -> dict[str, str]:
    """What a program is told of a partition, by the names of environment variables."""
    bounds = partition.bounds
    assert bounds is not None
    return {
        "TDSUP_JOB": job,
        "TDSUP_ACTION": care.lifespan.action,
        "TDSUP_PARENT": care.partitioning.parent.sql,
        "TDSUP_PARTITION": partition.table.sql,
        "TDSUP_START": _plain(bounds.start),
        "TDSUP_END": _plain(bounds.end),
    }


def _plain(bound: str) -> str:
    """A bound as PostgreSQL reads dates and times."""
    return {"MINVALUE": "-infinity", "MAXVALUE": "infinity"}.get(bound, bound)


def script_of(care: Care, decision: Decision, version: int) -> Sequence[str]:
    """The SQL of a decision, for people, a line for each statement."""
    lines: list[str] = []
    lifespan: Lifespan = care.lifespan
    if decision.deed.goes and not decision.partition.prepared:
        if lifespan.sql.strip():
            lines.append(f"{prepared(care, decision.partition).rstrip().rstrip(';')};")
        if lifespan.program:
            lines.append(f"-- retention_program: {' '.join(lifespan.program)}")
    for step in steps(decision, care.partitioning.parent, lifespan, version):
        if step.alone:
            lines.append(f"{step.statements[0]};")
        else:
            lines += ["begin;", "set local lock_timeout = '100ms';"]
            lines += [f"{statement};" for statement in step.statements]
            lines.append("commit;")
    return lines
