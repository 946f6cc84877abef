"""Which class a failure of the database belongs to."""

from __future__ import annotations

import psycopg2
import pytest
from psycopg2 import errors
from tdsup.dispatcher.errors import is_data, is_infrastructure, one_line


class WithCode(psycopg2.Error):
    """An error as the server reports it; psycopg2 itself fills in the code from C."""

    pgcode: str

    def __init__(self, pgcode: str) -> None:
        super().__init__("text")
        self.code = pgcode

    def __getattribute__(self, name: str) -> object:
        return super().__getattribute__("code" if name == "pgcode" else name)


@pytest.mark.parametrize(
    ("code", "infrastructure", "data"),
    [
        ("57P01", True, False),  # admin_shutdown
        ("53100", True, False),  # disk_full: never a fault of the data
        ("55P03", True, False),  # lock_not_available
        ("40P01", True, False),  # deadlock_detected
        ("25006", True, False),  # read_only_sql_transaction
        ("22P02", False, True),  # invalid_text_representation
        ("22021", False, True),  # character_not_in_repertoire
        ("23505", False, True),  # unique_violation
        ("42P01", False, False),  # undefined_table: set-up
        ("42501", False, False),  # insufficient_privilege: set-up
    ],
)
def test_the_sqlstate_decides(code: str, infrastructure: bool, data: bool) -> None:
    """Infrastructure is retried, data stops at an event, all else is the set-up."""
    error = WithCode(code)
    assert is_infrastructure(error) is infrastructure
    assert is_data(error) is data


@pytest.mark.parametrize(
    ("error", "infrastructure"),
    [
        (psycopg2.OperationalError("server closed the connection unexpectedly"), True),
        (psycopg2.InterfaceError("connection already closed"), True),
        # What psycopg2 raises, now and then, for an idle connection whose server was killed.
        (psycopg2.DatabaseError("server closed the connection unexpectedly"), True),
        (psycopg2.ProgrammingError("can't adapt type"), False),
        (errors.UndefinedTable("no code without a server"), False),
    ],
)
def test_without_a_sqlstate_the_class_decides(error: psycopg2.Error, infrastructure: bool) -> None:
    """A lost connection has no SQLSTATE."""
    assert is_infrastructure(error) is infrastructure


def test_one_line_is_one_line() -> None:
    """An explanation of several lines is for the log; people get the first."""
    assert one_line(psycopg2.OperationalError("connection failed: refused\n\tIs the server running?\n")) == (
        "connection failed: refused"
    )
