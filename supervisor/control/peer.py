"""Who is at the other end of the control socket, and what he may do."""

from __future__ import annotations

import grp
import os
import pwd
import socket
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..errors import ConfigError

_CREDENTIALS = struct.Struct("3i")
"""``struct ucred`` of unix(7): pid, uid, gid."""

_PEER_GROUPS = 59
"""``SO_PEERGROUPS`` of Linux, which Python has no name for: the supplementary groups."""

_LARGEST = 1024
"""Bytes of an answer of getsockopt that Python takes, so of 256 groups."""


@dataclass(frozen=True, slots=True)
class Caller:
    """A client, as the kernel knows it.

    Attributes:
        uid: of its process when it connected.
        may_read: it may use commands that change nothing.
        may_change: it may use all commands.
        others: who else may, in words.
    """

    uid: int
    may_read: bool
    may_change: bool
    others: str


class Access:
    """What the account of the fleet, root and the members of two groups may do.

    Args:
        operators: name of the group whose members may use all commands; empty: there is none.
        readers: name of the group whose members may use those that change nothing; empty: there is none.

    Raises:
        ConfigError: there is no such group.
    """

    def __init__(self, operators: str = "", readers: str = "") -> None:
        self._operators = _group("socket_group", operators)
        self._readers = _group("socket_readers", readers)
        self._named = operators or readers
        self._words = f"members of group {operators} may" if operators else "its own account and root may"

    def caller(self, connection: socket.socket) -> Caller:
        """Who has connected."""
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        _pid, uid, gid = _CREDENTIALS.unpack(credentials)
        groups = {gid, *_groups(connection, uid, gid)}
        owns = uid in {0, os.geteuid()}
        may_change = owns or self._operators in groups
        return Caller(uid, may_change or self._readers in groups, may_change, self._words)

    def open(self, path: Path) -> None:
        """Let those connect who may do something; nobody else could until now.

        One file has one group: if both are set, anybody may connect, and is judged by who he is.

        Raises:
            ConfigError: the fleet's account is no member of the group.
        """
        only = {group for group in (self._operators, self._readers) if group is not None}
        if len(only) == 1:
            (group,) = only
            for file, mode in ((path.parent, 0o750), (path, 0o660)):
                # A socket in the fleet's own directory is no reason to open that.
                if file != Path():
                    self._give(file, group)
                    file.chmod(mode)
        elif only:
            if path.parent != Path():
                path.parent.chmod(0o755)
            path.chmod(0o666)

    def _give(self, file: Path, group: int) -> None:
        try:
            os.chown(file, -1, group)
        except PermissionError as error:
            raise ConfigError(
                f"cannot give {file} to group {self._named}: the fleet's account is no member of it"
            ) from error


def _groups(connection: socket.socket, uid: int, gid: int) -> Iterable[int]:
    """The supplementary groups of a client's process; if they are too many, those of its account."""
    try:
        packed = connection.getsockopt(socket.SOL_SOCKET, _PEER_GROUPS, _LARGEST)
    except OSError:
        try:
            return os.getgrouplist(pwd.getpwuid(uid).pw_name, gid)
        except KeyError:
            return ()
    return (number for (number,) in struct.iter_unpack("I", packed))


def _group(key: str, name: str) -> int | None:
    try:
        return grp.getgrnam(name).gr_gid if name else None
    except KeyError as error:
        raise ConfigError(f"cannot load tdsup.yaml: {key}: there is no group {name}") from error
