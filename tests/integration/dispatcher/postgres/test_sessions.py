"""Sessions are set up as a job needs them, whatever role, database and server say."""

from __future__ import annotations

import io
import socket
from collections.abc import Mapping

import psycopg2
import pytest
from harness.servers.database import Database
from psycopg2.extensions import make_dsn
from tdsup.dispatcher.address import Address
from tdsup.dispatcher.postgres import Connection, connected
from tdsup.sandbox import Sandbox

SETTINGS = {
    "application_name": "me",
    "client_connection_check_interval": "2s",
    "DateStyle": "ISO, YMD",
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
    "statement_timeout": "0",
    "synchronous_commit": "on",
    "tcp_keepalives_count": "3",
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "transaction_timeout": "0",
}
"""Of both sessions, as far as the server has them."""

TCP_USER_TIMEOUT = {"source": "0", "target": "11000"}


def _shown(connection: Connection, *names: str) -> dict[str, str]:
    """Settings of a session, without those that the server lacks."""
    with connection.cursor() as cursor:
        cursor.execute("select n, current_setting(n, true) from unnest(%s) n", (list(names),))
        return {name: value for name, value in cursor.fetchall() if value is not None}


def _on_socket(connection: Connection, *names: str) -> list[int]:
    """Options of a connection's socket at the client."""
    with socket.fromfd(connection.session.fileno(), socket.AF_INET, socket.SOCK_STREAM) as copy:
        return [copy.getsockopt(socket.IPPROTO_TCP, getattr(socket, name)) for name in names]


@pytest.mark.parametrize("which", ["source", "target"])
def test_a_session_has_its_settings(which: str, tcp: str) -> None:
    """All that the server knows; only the target's is ended when its client acknowledges nothing."""
    with connected(Address(which, tcp), "me") as connection:
        shown = _shown(connection, *SETTINGS, "tcp_user_timeout")
    assert shown == {name: value for name, value in SETTINGS.items() if name in shown} | {
        "tcp_user_timeout": TCP_USER_TIMEOUT[which]
    }


DEFAULTS = [
    ("application_name", "other", "me"),
    ("client_connection_check_interval", "'60s'", "2s"),
    ("DateStyle", "SQL, DMY", "ISO, YMD"),
    ("idle_in_transaction_session_timeout", "'100ms'", "0"),
    ("idle_session_timeout", "'100ms'", "0"),
    ("statement_timeout", "'10ms'", "0"),
    ("synchronous_commit", "off", "on"),
    ("synchronous_commit", "local", "on"),
    ("synchronous_commit", "on", "on"),
    ("synchronous_commit", "remote_write", "remote_write"),
    ("synchronous_commit", "remote_apply", "remote_apply"),
    ("tcp_keepalives_idle", "60", "5"),
    ("tcp_user_timeout", "'60s'", "0"),
]
"""A setting, its default in some database, and what a session of a source has instead."""


@pytest.mark.parametrize("owner", ["database {}", "role postgres in database {}"])
def test_no_default_counts(owner: str, target: Database, name: str, tcp: str) -> None:
    """Those of databases and roles would end sessions, or lose commits that were confirmed."""
    owned = owner.format(name)
    for setting, default, wanted in DEFAULTS:
        target.execute(f"alter {owned} set {setting} = {default}")
        with connected(Address("source", tcp), "me") as connection:
            assert _shown(connection, setting) == {setting: wanted}, default
        target.execute(f"alter {owned} reset {setting}")


GIVEN = {"synchronous_commit": "off", "statement_timeout": "5s", "tcp_keepalives_idle": "9"}

OPTIONS = "-c synchronous_commit=off -cstatement_timeout=5s --tcp-keepalives-idle=9"


@pytest.mark.parametrize("by_environment", [False, True])
def test_options_count(by_environment: bool, tcp: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What ``options`` of the connection string say, or PGOPTIONS, is not set again; all else is."""
    monkeypatch.setenv("PGOPTIONS", OPTIONS if by_environment else "")
    dsn = tcp if by_environment else make_dsn(tcp, options=OPTIONS)
    with connected(Address("target", dsn), "me") as connection:
        assert _shown(connection, *GIVEN, "tcp_keepalives_count") == {**GIVEN, "tcp_keepalives_count": "3"}


def test_the_name_of_the_connection_string_counts(tcp: str) -> None:
    """A job's name is only a default."""
    with connected(Address("target", make_dsn(tcp, application_name="given")), "me") as connection:
        assert _shown(connection, "application_name") == {"application_name": "given"}


KEEPALIVES = ("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT")


@pytest.mark.parametrize("which", ["source", "target"])
@pytest.mark.parametrize(
    ("given", "options"),
    [({}, [5, 2, 3, 11_000]), ({"keepalives_idle": "7", "tcp_user_timeout": "3000"}, [7, 2, 3, 3_000])],
)
def test_the_client_looks_for_its_server(
    which: str, given: Mapping[str, str], options: list[int], tcp: str
) -> None:
    """As soon as the server for its client; the connection string may say otherwise."""
    with connected(Address(which, make_dsn(tcp, **given)), "me") as connection:
        assert _on_socket(connection, *KEEPALIVES, "TCP_USER_TIMEOUT") == options


class _Look(io.BytesIO):
    """A file for a COPY that looks at the connection's timeout meanwhile."""

    def __init__(self, connection: Connection, text: bytes) -> None:
        super().__init__(text)
        self._connection = connection
        self.seen: set[int] = set()

    def read(self, size: int | None = -1) -> bytes:
        self.seen.update(_on_socket(self._connection, "TCP_USER_TIMEOUT"))
        return super().read(size)


@pytest.mark.parametrize(("given", "meanwhile"), [({}, 0), ({"tcp_user_timeout": "3000"}, 3_000)])
@pytest.mark.parametrize("text", [b"1\n", b"no number\n"])
def test_a_copy_into_the_target_may_stall(
    given: Mapping[str, str], meanwhile: int, text: bytes, tcp: str
) -> None:
    """The timeout is off until the COPY ends, well or not, unless the connection string gives one."""
    with (
        connected(Address("target", make_dsn(tcp, **given)), "me") as connection,
        connection.cursor() as cursor,
    ):
        (before,) = _on_socket(connection, "TCP_USER_TIMEOUT")
        cursor.execute("create temp table n (n int)")
        look = _Look(connection, text)
        try:
            cursor.copy_expert("copy n from stdin", look)
        except psycopg2.DataError:
            assert text != b"1\n"
        assert look.seen == {meanwhile}
        assert _on_socket(connection, "TCP_USER_TIMEOUT") == [before]


@pytest.mark.parametrize("by_tcp", [False, True])
def test_it_costs_one_round_trip(
    by_tcp: bool, sandbox: Sandbox, target: Database, name: str, tcp: str
) -> None:
    """Nor has a server anything to say about it, even where a unix socket knows no timeouts."""
    target.execute(f"alter database {name} set log_statement = 'all'")
    with connected(Address("target", tcp if by_tcp else target.dsn), "me") as connection:
        pid = connection.session.info.backend_pid
        assert connection.session.notices == []
    lines = [
        line for line in sandbox.target.log.read_text(encoding="utf-8").splitlines() if f" [{pid}] " in line
    ]
    assert len([line for line in lines if "LOG:  statement:" in line]) == 1, lines
    assert len(lines) == 1, lines
