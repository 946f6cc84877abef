"""What the web child answers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

TEXT = "text/plain; charset=utf-8"
JSON = "application/json"

Header = tuple[bytes, bytes]

NO_STORE: Header = (b"cache-control", b"no-store")
"""What is true now is not to be shown later."""


@dataclass(frozen=True)
class Reply:
    """One answer.

    Attributes:
        status: HTTP status.
        kind: content type.
        body: content.
        headers: further headers.
    """

    status: int
    kind: str
    body: bytes
    headers: tuple[Header, ...] = (NO_STORE,)


def reply_text(status: int, text: str, *headers: Header) -> Reply:
    """A line or more for people and probes."""
    return Reply(status, TEXT, f"{text}\n".encode(errors="backslashreplace"), (NO_STORE, *headers))


def reply_data(status: int, data: Any, *headers: Header) -> Reply:
    """Something for programs."""
    return Reply(status, JSON, json.dumps(data, separators=(",", ":")).encode(), (NO_STORE, *headers))


def reply_error(status: int, code: str, message: str, *headers: Header) -> Reply:
    """An error in the form of the control socket."""
    return reply_data(status, {"ok": False, "error": {"code": code, "message": message}}, *headers)
