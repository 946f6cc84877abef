"""One PostgreSQL server with its own data directory."""

from __future__ import annotations

import contextlib
import os
import random
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg2
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import make_dsn

from . import reaper
from .account import Account
from .binaries import Binaries
from .errors import SandboxError

USER = "postgres"
"""The superuser of every cluster."""

PORTS = range(20_000, 30_000)
"""Below the range from which the kernel takes ports of outgoing connections."""

START_WAIT = 60.0
"""Seconds within which a server must accept connections, including recovery after a kill."""

STOP_WAIT = 30.0
_PAUSE = 0.02

SOCKET_PATH_LIMIT = 107
"""Longest path of a unix socket, in bytes (unix(7))."""

# What makes a server private. Durability keeps PostgreSQL's defaults: all on.
_SETTINGS = """
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = '{directory}'
max_connections = 300
# Files in the data directory instead of /dev/shm, so that a killed server leaves nothing elsewhere.
dynamic_shared_memory_type = mmap
"""


class Cluster:
    """A server that can be stopped, killed and started again. It listens on a unix socket and on loopback.

    Args:
        directory: its directory, created by `create`.
        binaries: the programs.
        account: runs the server.
        has_pgq: whether each database gets PgQ.
    """

    def __init__(
        self, directory: Path, binaries: Binaries, account: Account, *, has_pgq: bool = False
    ) -> None:
        self.directory = directory
        self.data = directory / "data"
        self.log = directory / "server.log"
        self.binaries = binaries
        self.port = _free_port()
        self._password = secrets.token_urlsafe(12)
        self._account = account
        self.has_pgq = has_pgq
        self._process: subprocess.Popen[bytes] | None = None

    def create(self) -> None:
        """Create the data directory.

        Raises:
            SandboxError: it cannot be created.
        """
        length = len(os.fsencode(self.directory / f".s.PGSQL.{self.port}"))
        if length > SOCKET_PATH_LIMIT:
            raise SandboxError(
                f"cannot create a cluster in {self.directory}: its socket's path would have {length} bytes, "
                f"more than {SOCKET_PATH_LIMIT}; set TMPDIR to a shorter one"
            )
        self.directory.mkdir(mode=0o700)
        self._account.own(self.directory)
        secret = self.directory / "password"
        secret.write_text(self._password)
        self._account.own(secret)
        command: list[str | Path] = [
            self.binaries.initdb, "--pgdata", self.data, "--username", USER, "--encoding", "UTF8",
            "--locale", "C.UTF-8", "--auth-local", "trust", "--auth-host", "scram-sha-256",
            "--pwfile", secret, "--no-sync",
        ]  # fmt: skip
        done = subprocess.run(
            command, cwd=self.directory, capture_output=True, text=True, check=False, **self._account.popen
        )
        secret.unlink()
        if done.returncode:
            raise SandboxError(f"cannot create a cluster in {self.directory}: {done.stderr.strip()}")
        with (self.data / "postgresql.conf").open("a") as file:
            file.write(_SETTINGS.format(port=self.port, directory=self.directory))

    def dsn(self, database: str) -> str:
        """Connection string through the unix socket."""
        return make_dsn(host=str(self.directory), port=self.port, user=USER, dbname=database)

    def tcp_dsn(self, database: str) -> str:
        """Connection string through loopback, with a password."""
        return make_dsn(host="127.0.0.1", port=self.port, user=USER, dbname=database, password=self._password)

    def start(self) -> None:
        """Start the server and wait until it accepts connections.

        Raises:
            SandboxError: it does not.
        """
        with self.log.open("ab") as log:
            # In a new session, so that Ctrl-C in the terminal reaches only the owner of the sandbox.
            self._process = subprocess.Popen(
                [self.binaries.postgres, "-D", self.data],
                cwd=self.data,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **self._account.popen,
            )
        deadline = time.monotonic() + START_WAIT
        while not self._accepts():
            if self._process.poll() is not None or time.monotonic() > deadline:
                tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-5:])
                raise SandboxError(f"cannot start the server in {self.directory}: {tail}")
            time.sleep(_PAUSE)

    def stop(self) -> None:
        """Shut down fast: connections are closed, everything is written."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """Kill all its processes at once, as a power failure would."""
        reaper.end(self.data, signal.SIGKILL, STOP_WAIT)
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Stop and start."""
        self.stop()
        self.start()

    def create_database(self, name: str, encoding: str = "UTF8") -> None:
        """Create a database in some encoding, with PgQ if the cluster has it."""
        with self._cursor("postgres") as connection, connection.cursor() as cursor:
            locale = "template template0 lc_collate 'C' lc_ctype 'C'" if encoding != "UTF8" else ""
            cursor.execute(f"create database \"{name}\" encoding '{encoding}' {locale}")
        if self.has_pgq:
            with self._cursor(name) as connection, connection.cursor() as cursor:
                cursor.execute(self.binaries.pgq)

    def drop_database(self, name: str) -> None:
        """Drop a database, even while others are connected to it."""
        with self._cursor("postgres") as connection, connection.cursor() as cursor:
            cursor.execute(f'drop database if exists "{name}" with (force)')

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(STOP_WAIT)
            self._process = None

    def _accepts(self) -> bool:
        try:
            psycopg2.connect(self.dsn("postgres")).close()
        except psycopg2.OperationalError:
            return False
        return True

    @contextlib.contextmanager
    def _cursor(self, database: str) -> Iterator[Connection]:
        connection = psycopg2.connect(self.dsn(database))
        connection.autocommit = True
        try:
            yield connection
        finally:
            connection.close()


def _free_port() -> int:
    for port in random.sample(PORTS, len(PORTS)):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise SandboxError(f"cannot find a free port from {PORTS.start} to {PORTS.stop - 1}")
