"""The check warns of a role that has more than its job needs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from harness.attacks.leastrights import READER, WRITER, Sides, sides
from harness.rows.check import examined
from harness.rows.orders import Orders
from harness.servers.database import Database

EXCESS = {
    "alter role {role} superuser": "is a superuser",
    "alter role {role} createrole": "may create roles",
    "alter role {role} createdb": "may create databases",
    "alter role {role} replication": "may replicate",
    "grant postgres to {role}": "owns the database, is a member of postgres",
    "grant pg_execute_server_program to {role}": "is a member of pg_execute_server_program",
    "grant create on database {database} to {role}": "may create schemas",
    "alter database {database} owner to {role}": "owns the database",
}
"""What a role has too much, and how the check calls it."""

OF_ONE = {
    "source": {
        "alter role {role} bypassrls": "passes by row security",
        "grant pgq_admin to {role}": "is a member of pgq_admin, is a member of pgq_writer",
    },
    "target": {"alter role {role} bypassrls": ""},
}
"""What is too much, or may be needed, on one side only."""

CASES = [
    (side, statement, words)
    for side, of_one in OF_ONE.items()
    for statement, words in {**EXCESS, **of_one}.items()
]


@pytest.fixture
def both(source: Database, target: Database) -> Iterator[Sides]:
    """Both databases, and two roles."""
    with sides(source, target) as made:
        yield made


def warnings(orders: Orders, both: Sides) -> list[str]:
    """What the check warns of."""
    return [line for line in examined({**orders.keys(), **both.keys()})[0] if ": warning: " in line]


@pytest.mark.parametrize(("side", "statement", "words"), CASES)
def test_more_than_it_needs(orders: Orders, both: Sides, side: str, statement: str, words: str) -> None:
    """Whatever would let it do more than load tables; nothing where there is nothing."""
    orders.drain()
    assert warnings(orders, both) == []
    database = both.databases[side]
    name = database.value("select current_database()")
    database.execute(statement.format(role=both.role(side), database=name))
    name_of_role = {"source": READER, "target": WRITER}[side]
    told = f"role {name_of_role} {words}, and needs no more than tdsup grants prints"
    wanted = [f"job: {side}: warning: {told}"] if words else []
    found = warnings(orders, both)
    database.execute(f"alter database {name} owner to postgres")
    assert found == wanted


def test_a_schema_that_is_still_to_be_made(orders: Orders, both: Sides) -> None:
    """Until then, the role may make schemas in the target."""
    name = both.target.value("select current_database()")
    both.target.execute(f"grant create on database {name} to {both.role('target')}")
    assert warnings(orders, both) == []
