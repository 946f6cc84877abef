"""Two roles that have what ``tdsup grants`` prints and nothing more: databases give nothing to everybody."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from psycopg2.extensions import make_dsn

from harness.programs.fleet import Fleet
from harness.rows.job import Keys
from harness.servers.database import Database

READER = 'reading "role"'
WRITER = "writing 'role'"
"""Names that have to be quoted."""

_CLOSE = """
    do $$ declare name text; begin
        execute format('revoke all on database %I from public', current_database());
        for name in
            select quote_ident(nspname) from pg_namespace where nspname !~ '^(pg_|information_schema)'
        loop
            execute format('revoke all on schema %s from public', name);
            execute format('revoke all on all tables in schema %s from public', name);
            execute format('revoke all on all functions in schema %s from public', name);
        end loop;
    end $$"""


class Sides:
    """Source and target, closed to everybody, and a role without rights on each.

    Args:
        source: the source.
        target: the target.
    """

    def __init__(self, source: Database, target: Database) -> None:
        self.databases = {"source": source, "target": target}

    @property
    def source(self) -> Database:
        """The source, as a superuser."""
        return self.databases["source"]

    @property
    def target(self) -> Database:
        """The target, as a superuser."""
        return self.databases["target"]

    def role(self, side: str) -> str:
        """The role of `source` or `target`, as SQL."""
        return _quoted({"source": READER, "target": WRITER}[side])

    def keys(self) -> Keys:
        """What names both roles in a job's file."""
        return {
            "src_db": make_dsn(self.source.dsn, user=READER),
            "dst_db": make_dsn(self.target.dsn, user=WRITER),
        }

    def close(self) -> None:
        """Take from everybody what is there."""
        for database in self.databases.values():
            database.execute(_CLOSE)

    def grant(self, printed: str) -> None:
        """Run what `tdsup grants` printed, each part in psql as a superuser."""
        source, _mark, target = printed.partition("-- The target: ")
        for database, part in zip(self.databases.values(), (source, f"-- {target}"), strict=True):
            paste(database, part)


def paste(database: Database, text: str) -> None:
    """Run text in psql; fails at its first error."""
    done = subprocess.run(
        ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", database.dsn],
        input=text,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def printed(fleet: Fleet, job: str) -> str:
    """What `tdsup grants` says of a job."""
    code, said, fault = fleet.said("grants", job)
    assert (code, fault) == (0, ""), fault
    return said


@contextmanager
def sides(source: Database, target: Database) -> Iterator[Sides]:
    """Both databases; the roles end with the context."""
    made = Sides(source, target)
    for side, database in made.databases.items():
        database.execute(f"create role {made.role(side)} login")
    try:
        yield made
    finally:
        for side, database in made.databases.items():
            database.execute(f"drop owned by {made.role(side)} cascade; drop role {made.role(side)}")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
