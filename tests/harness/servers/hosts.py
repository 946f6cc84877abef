"""Hosts: network namespaces on one wire, each of which can be cut off from the others in silence."""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from psycopg2.extensions import make_dsn
from tdsup.sandbox import Cluster, Sandbox
from tdsup.sandbox.account import unprivileged

PREFIX = "tdsup-"
"""Names of our namespaces begin with it, then with the pid of their owner."""

NAMESPACES = Path("/run/netns")

HERE = Path("/proc/thread-self/ns/net")
"""The network namespace of the thread that looks."""

NETWORK = "10.77.0"
"""The first three numbers of every host's address. Nothing outside is connected."""

NOBODY = "02:00:00:00:ff:ff"
"""A hardware address that no host has: what is sent there is lost, and nobody says so."""

_libc = ctypes.CDLL(None, use_errno=True)


class Host:
    """A host with an address of its own, in its own network namespace.

    Attributes:
        namespace: its name for ``ip netns``.
        address: its IP address.
    """

    def __init__(self, namespace: str, number: int) -> None:
        self.namespace = namespace
        self.address = f"{NETWORK}.{number}"
        self._hardware = f"02:00:00:00:00:{number:02x}"

    @contextlib.contextmanager
    def inside(self) -> Iterator[None]:
        """This thread is on the host: sockets that it opens and processes that it starts stay there."""
        with (
            HERE.open("rb") as here,
            (NAMESPACES / self.namespace).open("rb") as there,
        ):
            _enter(there.fileno())
            try:
                yield
            finally:
                _enter(here.fileno())

    @contextlib.contextmanager
    def cluster(self, sandbox: Sandbox, like: Cluster) -> Iterator[Cluster]:
        """A new server on this host, for the length of the context, with the programs of another one.

        It has PgQ if the other has it. All hosts are trusted, and so is its unix socket, which can be used
        from anywhere.
        """
        cluster = Cluster(
            sandbox.directory / self.namespace, like.binaries, unprivileged(), has_pgq=like.has_pgq
        )
        cluster.create()
        with (cluster.data / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.write("listen_addresses = '*'\n")
        with (cluster.data / "pg_hba.conf").open("a", encoding="utf-8") as file:
            file.write(f"host all all {NETWORK}.0/24 trust\n")
        try:
            with self.inside():
                cluster.start()
            yield cluster
        finally:
            cluster.stop()

    def dsn(self, cluster: Cluster, database: str) -> str:
        """Connection string of a database of a cluster on this host, from any host."""
        return make_dsn(host=self.address, port=cluster.port, user="postgres", dbname=database)

    def connect(self, wire: str, number: int) -> None:
        """Get a link to the wire."""
        link = f"h{number}"
        _ip("netns", "add", self.namespace)
        _ip("-n", wire, "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", self.namespace)
        _ip("-n", wire, "link", "set", link, "master", "wire", "up")
        _ip("-n", self.namespace, "link", "set", "lo", "up")
        _ip("-n", self.namespace, "link", "set", "eth0", "address", self._hardware, "up")
        _ip("-n", self.namespace, "address", "add", f"{self.address}/24", "dev", "eth0")

    def send_to(self, other: Host, *, arrives: bool) -> None:
        """Let what this host sends to another arrive there, or get lost."""
        hardware = other._hardware if arrives else NOBODY
        where = ("dev", "eth0", "lladdr", hardware, "nud", "permanent")
        _ip("-n", self.namespace, "neigh", "replace", other.address, *where)


class Hosts:
    """A wire and the hosts on it; a context manager. They cannot be reached over the network from outside.

    What a run leaves that was killed is removed by the next one.
    """

    _numbers = itertools.count(1)

    def __enter__(self) -> Self:
        _remove_leftovers()
        self._name = f"{PREFIX}{os.getpid()}-{next(Hosts._numbers)}"
        self._hosts: list[Host] = []
        _ip("netns", "add", self._name)
        _ip("-n", self._name, "link", "add", "wire", "type", "bridge")
        _ip("-n", self._name, "link", "set", "wire", "up")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for host in self._hosts:
            _ip("netns", "delete", host.namespace)
        _ip("netns", "delete", self._name)

    def add(self) -> Host:
        """A new host that reaches all others."""
        number = len(self._hosts) + 1
        host = Host(f"{self._name}-{number}", number)
        host.connect(self._name, number)
        self._hosts.append(host)
        self.mend(host)
        return host

    def cut(self, host: Host, *others: Host) -> None:
        """Cut a host off from some others, or from all: what they send each other is lost."""
        self._set(host, others, arrives=False)

    def mend(self, host: Host, *others: Host) -> None:
        """Undo a cut."""
        self._set(host, others, arrives=True)

    def _set(self, host: Host, others: tuple[Host, ...], *, arrives: bool) -> None:
        for other in others or self._hosts:
            if other is not host:
                host.send_to(other, arrives=arrives)
                other.send_to(host, arrives=arrives)


def _enter(namespace: int) -> None:
    if _libc.setns(namespace, 0):
        number = ctypes.get_errno()
        raise OSError(number, f"cannot enter a network namespace: {os.strerror(number)}")


def _ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, (
        f"cannot make hosts by `ip {' '.join(words)}`: {done.stderr.strip()}; tests with hosts "
        "need root and network namespaces"
    )


def _remove_leftovers() -> None:
    for path in NAMESPACES.glob(f"{PREFIX}*"):
        pid = path.name.removeprefix(PREFIX).partition("-")[0]
        if not Path("/proc", pid).exists():
            _ip("netns", "delete", path.name)
