"""Old partitions go: what is to be done before, and the deed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from psycopg2 import sql

from ..partitions import Lifespan, filled, take_alone
from ..postgres import Connection, TableName, queries
from .agenda import Decision, Deed, Step, literal, steps
from .care import Care
from .inventory import Partition

PATIENCE = "10s"
"""How long a statement that keeps nobody waiting may wait for others."""

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
        # What was marked, or has its detach pending, has seen all that before.
        if decision.deed.goes and not decision.partition.is_marked:
            self._prepare(care, decision.partition)
        version = self._connection.session.server_version
        for step in steps(decision, parent, lifespan, version):
            self._take(step)

    def _see_that_none_needs(self, table: TableName) -> None:
        """Kept if a table could not be dropped: once detached, nobody who reads its parent sees its rows."""
        with self._connection, self._connection.cursor() as cursor:
            found = [what for (what,) in queries.rows(cursor, "dependants", table=table.sql)]
        if found:
            more = f" and {len(found) - 1} more" if len(found) > 1 else ""
            raise Kept(f"{found[0]}{more} depends on it; drop that, or set retention_action = detach")

    def _prepare(self, care: Care, partition: Partition) -> None:
        lifespan = care.lifespan
        if lifespan.sql.strip():
            self._take(Step((prepared(care, partition),)), shortly=False)
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

    def _take(self, step: Step, *, shortly: bool = True) -> None:
        if step.alone:
            take_alone(self._connection, step.statements[0], PATIENCE)
            return
        with self._connection, self._connection.cursor() as cursor:
            if shortly:
                queries.run(cursor, "wait_shortly")
            for statement in step.statements:
                cursor.execute(queries.for_users(sql.SQL(statement)))


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
    if decision.deed.goes and not decision.partition.is_marked:
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
