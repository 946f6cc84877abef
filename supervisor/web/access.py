"""Who may read the pages, who may change something, and under which names this server is called."""

from __future__ import annotations

import base64
import binascii
import hmac
import ipaddress
import os
import socket
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..errors import TdsupError

SIZE_LIMIT = 4096
"""Bytes of a file with a secret; it has to fit into a header."""

OTHERS = stat.S_IRWXG | stat.S_IRWXO


class WebToken:
    """A secret that is compared and never shown.

    Args:
        secret: what a client has to know to change something.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def admits(self, authorization: bytes) -> bool:
        """Whether an ``Authorization`` header holds it (RFC 6750); every wrong one takes the same time."""
        return hmac.compare_digest(_credentials(authorization, b"bearer"), self._secret)


class ReadingKey:
    """What a client has to know to read: a token, or a user's name and password.

    A token may be given as the password of any user, too: browsers ask for both.

    Args:
        secret: ``TOKEN`` or ``USER:PASSWORD``.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def admits(self, authorization: bytes) -> bool:
        """Whether an ``Authorization`` header holds it (RFC 6750, RFC 7617)."""
        token = hmac.compare_digest(_credentials(authorization, b"bearer"), self._secret)
        try:
            given = base64.b64decode(_credentials(authorization, b"basic"), validate=True)
        except binascii.Error:
            given = b""
        if b":" not in self._secret:
            given = given.partition(b":")[2]
        return hmac.compare_digest(given, self._secret) or token


def _credentials(authorization: bytes, scheme: bytes) -> bytes:
    """What follows a scheme, whose case does not matter (RFC 9110); empty if it is another one."""
    found, _, credentials = authorization.partition(b" ")
    return credentials.strip() if found.lower() == scheme else b""


def load_secret(key: str, path: str) -> bytes:
    """Read a file with a secret: one word of ASCII on one line.

    Args:
        key: of ``tdsup.yaml``, which names the file.
        path: the file.

    Raises:
        TdsupError: there is no such file, others may use it, or it holds no secret.
    """
    problem = f"cannot read {key} {path}"
    try:
        with Path(path).open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            content = file.read(SIZE_LIMIT + 1).strip()
    except OSError as error:
        raise TdsupError(f"{problem}: {error.strerror}") from error
    if mode & OTHERS:
        raise TdsupError(f"{problem}: others may use it (mode {stat.S_IMODE(mode):04o}); chmod 600 it")
    if not content:
        raise TdsupError(f"{problem}: it is empty")
    if len(content) > SIZE_LIMIT or not all(33 <= byte <= 126 for byte in content):
        raise TdsupError(f"{problem}: a secret is one word of at most {SIZE_LIMIT} ASCII characters")
    return content


class HostNames:
    """The names by which this server may be called.

    A page of another site can let a name of its own lead to this machine, and read what a browser here may
    read. Its requests bear that name.

    Args:
        given: names that a person allows.
    """

    def __init__(self, given: Iterable[str]) -> None:
        own = socket.gethostname()
        self._names = {name.lower().rstrip(".") for name in (*given, own, own.partition(".")[0])}

    def add(self, name: str) -> None:
        """Allow another one."""
        self._names.add(name.lower().rstrip("."))

    def hold(self, host: bytes) -> bool:
        """Whether a ``Host`` header names this server: by an IP address, as localhost, or by such a name."""
        name = host.decode("latin-1").strip().lower()
        if name.startswith("["):
            name = name[1:].partition("]")[0]
        elif name.count(":") <= 1:
            name = name.partition(":")[0]
        name = name.rstrip(".")
        if name in self._names or name == "localhost" or name.endswith(".localhost"):
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Rules:
    """Who may do what.

    Attributes:
        names: of this server.
        token: what changes need; None: nothing can be changed.
        reading: what reading needs; None: nothing.
    """

    names: HostNames
    token: WebToken | None
    reading: ReadingKey | None


def is_local(host: str) -> bool:
    """Whether only this machine can reach an address to listen on."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
