"""What the web child is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote

BODY_LIMIT = 1024
"""Bytes of a request's body; no request needs one."""

Scope = dict[str, Any]


@dataclass(frozen=True)
class Request:
    """What the pages need to know about a request.

    Attributes:
        method: in upper case.
        path: decoded.
        raw_path: as it was sent, without the query.
        query: the first value of each parameter.
        headers: by name in lower case.
        client: address of the client.
    """

    method: str
    path: str
    raw_path: bytes
    query: Mapping[str, str]
    headers: Mapping[bytes, bytes]
    client: str

    @classmethod
    def of(cls, scope: Scope) -> Request:
        """The request of an ASGI scope."""
        query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        client = scope["client"][0] if scope["client"] else "?"
        return cls(
            scope["method"],
            scope["path"],
            scope["raw_path"],
            {name: values[0] for name, values in query.items()},
            dict(scope["headers"]),
            client,
        )

    @property
    def job_and_verb(self) -> tuple[str, str]:
        """Name and verb of ``/jobs/NAME/VERB``; both empty if the path has another form."""
        parts = self.raw_path.split(b"/")
        if len(parts) != 4:
            return "", ""
        # Decoded only now: a job's name may hold a slash.
        return unquote(parts[2].decode("latin-1")), parts[3].decode("latin-1")

    @property
    def host(self) -> bytes:
        """The name by which the client calls this server."""
        return self.headers.get(b"host", b"localhost")

    @property
    def authorization(self) -> bytes:
        """What the client says to be let in; empty if nothing."""
        return self.headers.get(b"authorization", b"")

    @property
    def is_too_large(self) -> bool:
        """Whether its body is too large, or of unknown size."""
        length = self.headers.get(b"content-length", b"0")
        return b"transfer-encoding" in self.headers or int(length[:20]) > BODY_LIMIT
