"""The token without which the web child changes nothing."""

from __future__ import annotations

import hmac
import os
import stat
from pathlib import Path

from ..errors import TdsupError

SIZE_LIMIT = 4096
"""Bytes of a token file; it has to fit into a header."""

OTHERS = stat.S_IRWXG | stat.S_IRWXO


class WebToken:
    """A secret that is compared and never shown.

    Args:
        secret: what a client has to know to change something.
    """

    def __init__(self, secret: bytes) -> None:
        self._expected = b"Bearer " + secret

    def admits(self, authorization: bytes) -> bool:
        """Whether a request's ``Authorization`` header holds it; takes the same time for every wrong one."""
        scheme, _, secret = authorization.partition(b" ")
        # The case of the scheme does not matter (RFC 9110); that of the token does.
        return hmac.compare_digest(scheme.title() + b" " + secret.strip(), self._expected)


def load_token(path: str) -> WebToken:
    """Read a token file: one word of ASCII on one line.

    Raises:
        TdsupError: there is no such file, others may use it, or it holds no token.
    """
    problem = f"cannot read web_token_file {path}"
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
        raise TdsupError(f"{problem}: a token is one word of at most {SIZE_LIMIT} ASCII characters")
    return WebToken(content)
