"""The role that a connection string gives the job."""

from __future__ import annotations

import getpass
import os
from dataclasses import dataclass

from psycopg2.extensions import parse_dsn

from ..errors import SetupError

_EVERYBODY = "public"
"""No role can have that name, even in quotes: it means all of them."""


@dataclass(frozen=True, slots=True)
class Role:
    """A role of one database.

    Attributes:
        name: its name.
        origin: where the name comes from, for a comment.
    """

    name: str
    origin: str


def role_of(key: str, dsn: str) -> Role:
    """The role by which a job connects; asks no server.

    Args:
        key: ``src_db`` or ``dst_db``.
        dsn: its connection string.

    Raises:
        SetupError: it cannot be told from here, or it means everybody.
    """
    given = parse_dsn(dsn)
    name, origin = given.get("user", ""), key
    if not name and ("service" in given or "PGSERVICE" in os.environ):
        raise SetupError(f"cannot tell the role of {key}: a service may name it; add user=… to {key}")
    if not name:
        name, origin = os.environ.get("PGUSER") or getpass.getuser(), f"this account, as {key} names no user"
    if name == _EVERYBODY:
        raise SetupError(f"cannot grant rights to user {name} of {key}: that is everybody; name a role")
    return Role(name, origin)
