"""Schema tdsup from one version to the next, and what a job does without the rights for it."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from harness.paths import PGQ_EXT
from harness.programs.program import Program
from harness.rows.job import Keys
from harness.rows.orders import Orders
from harness.servers.database import Database
from psycopg2.extensions import make_dsn
from tdsup.dispatcher.errors import SetupError
from tdsup.dispatcher.postgres import queries

V1 = "\n".join(map(queries.text, ("make_schema", "make_positions", "make_dead_letters")))
"""Version 1, as the program of that time made it."""

UNTIMED = f"{V1}; alter table tdsup.completed_tick drop column last_tick_time"
"""As the first programs made it."""

USE = (
    "grant usage on schema tdsup to app; "
    "grant select, insert, update on tdsup.completed_tick, tdsup.dead_letter to app"
)

PGQ_EXT_ALONE = PGQ_EXT.read_text(encoding="utf-8")
"""No schema of ours."""

USE_PGQ_EXT = "grant usage on schema pgq_ext to app; grant all on pgq_ext.completed_tick to app"

KEPT = {
    "version 1": f"{V1}; {USE}",
    "without times": f"{UNTIMED}; {USE}",
    "pgq_ext alone": f"{PGQ_EXT_ALONE}; {USE_PGQ_EXT}",
}
"""Targets in which a role can keep positions and nothing else."""

NO_OWNERS = "the target keeps no owners of consumers for this role"


@pytest.fixture
def app(target: Database) -> Iterator[str]:
    """A role of the target that may use the database, and make nothing there."""
    target.execute("create role app login")
    yield "app"
    target.execute("drop owned by app cascade; drop role app")


def as_role(orders: Orders, role: str) -> Keys:
    """Keys that make the job one of that role, which may load the table."""
    orders.target.execute(f"grant all on orders to {role}")
    dsn = make_dsn(orders.target.dsn, user=role)
    return {"dst_db": dsn, "part_field": "", "part_template": "", "job_name": "orders"}


def version(target: Database) -> int:
    """What there is: 0, 1 or 2."""
    found: int = target.value(
        "select (to_regclass('tdsup.completed_tick') is not null)::int "
        "+ (to_regclass('tdsup.consumer') is not null)::int"
    )
    return found


@pytest.mark.parametrize("before", ["", V1, UNTIMED], ids=["nothing", "version 1", "without times"])
def test_the_printed_sql(target: Database, orders: Orders, before: str) -> None:
    """It brings the schema up to date, run by psql and as often as one likes."""
    if before:
        target.execute(before)
    head, sql = orders.act("schema", "sql")
    assert head.endswith(f"schema tdsup from version {1 if before else 0} to 2")
    (said, lacking) = orders.act("schema")
    assert "this program makes version 2" in said
    assert lacking.endswith("missing; the next start makes it; --sql prints it")
    for _ in range(2):
        command = ["psql", "-X", "-v", "ON_ERROR_STOP=1", "-d", target.dsn]
        done = subprocess.run(command, input=f"{head}\n{sql}", capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    assert orders.act("schema", "sql")[1:] == ["-- nothing is missing"]
    (said,) = orders.act("schema")
    assert said.endswith("schema tdsup: version 2; this program makes version 2")
    assert target.rows("select version from tdsup.schema_version") == [(2,)]
    orders.drain()
    orders.insert(3)
    orders.drain()
    assert target.value("select last_tick_time > 0 from tdsup.completed_tick")


def test_an_upgrade_carries_grants_over(target: Database, orders: Orders, app: str) -> None:
    """A role that may write positions may own consumers too; its counters begin with the upgrade."""
    target.execute(f"{V1}; {USE}")
    keys = as_role(orders, app)
    orders.drain(**keys)
    assert version(target) == 1
    orders.act("register", job_name="orders")
    assert version(target) == 2
    orders.insert(3)
    assert orders.drain(**keys)["rows"] == 3
    assert target.column("select counters->>'rows' from tdsup.consumer") == ["3"]


@pytest.mark.parametrize("before", KEPT.values(), ids=KEPT)
def test_a_schema_that_the_role_may_not_change(
    target: Database, orders: Orders, app: str, before: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The job runs on it as it is, and says in log and status what is missing."""
    target.execute(before)
    there = version(target)
    orders.drain(**as_role(orders, app))
    assert caplog.text.count(NO_OWNERS) == 1
    with orders.running(**as_role(orders, app)) as job:
        orders.insert(3)
        job.wait_for("running", rows=3, reason=NO_OWNERS)
    assert version(target) == there
    orders.check()
    (lacking,) = orders.act("schema", **as_role(orders, app))[1:]
    assert "make_consumers missing; the role lacks create on " in lacking
    assert lacking.endswith("; --sql prints it")


@pytest.mark.parametrize("before", KEPT.values(), ids=KEPT)
def test_two_processes_without_owners(
    tmp_path: Path, target: Database, orders: Orders, app: str, before: str
) -> None:
    """Both work, batch by batch, while each is killed in turn: each event arrives once."""
    target.execute(before)
    in_turns(tmp_path, orders, [as_role(orders, app)] * 2)


def test_a_process_with_owners_beside_one_without(
    tmp_path: Path, target: Database, orders: Orders, app: str
) -> None:
    """One role may use the rows of consumers and the other may not."""
    target.execute(f"{V1}; {queries.text('make_consumers')}; {USE}")
    plain = as_role(orders, app)
    in_turns(tmp_path, orders, [plain, {**plain, "dst_db": target.dsn}])


def in_turns(tmp_path: Path, orders: Orders, keys: list[Keys]) -> None:
    """Run two processes, kill each in turn while rows flow, and ask the oracle."""
    files = [orders.keys(**each) for each in keys]
    programs = [Program(tmp_path / str(number), **file) for number, file in enumerate(files)]
    with ExitStack() as stack:
        stack.enter_context(programs[0])
        programs[0].wait_says("registered consumer")
        stack.enter_context(programs[1])
        for victim in programs * 4:
            orders.insert(200)
            victim.send(signal.SIGKILL)
            orders.insert(200)
            orders.wait_loaded()
            victim.__exit__(None, None, None)
            victim.__enter__()
        assert orders.verdict().clean, orders.verdict()


def test_a_role_that_can_make_nothing_works_with_owners(target: Database, orders: Orders, app: str) -> None:
    """What is there is enough: it is not made again, which would need create on the database."""
    target.execute(f"{V1}; {queries.text('make_consumers')}; {USE}")
    target.execute("grant select, insert, update, delete on tdsup.consumer to app")
    target.execute("revoke create on schema public from public")
    keys = as_role(orders, app)
    orders.drain(**keys)
    orders.insert(3)
    orders.drain(**keys)
    orders.check()
    assert target.column("select counters->>'rows' from tdsup.consumer") == ["3"]


def test_a_role_without_the_least(target: Database, orders: Orders, app: str) -> None:
    """It is told what it lacks, one thing after the other."""
    keys = as_role(orders, app)
    with pytest.raises(SetupError, match=r"cannot create schema tdsup .* lacks create on the database; "):
        orders.drain(**keys)
    target.execute(V1)
    with pytest.raises(SetupError, match=r"cannot use schema tdsup .* grant usage on schema tdsup"):
        orders.drain(**keys)
    target.execute("grant usage on schema tdsup to app")
    with pytest.raises(SetupError, match="permission denied for table completed_tick"):
        orders.drain(**keys)
    target.execute(USE)
    orders.drain(**keys)
