"""What the web child answers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

TEXT = "text/plain; charset=utf-8"
JSON = "application/json"

Header = tuple[bytes, bytes]

NO_STORE: Header = (b"cache-control", b"no-store")
"""An answer is true now; browsers must not show it later."""


@dataclass(frozen=True)
class Reply:
    """One answer.

    Attributes:
        status: HTTP status.
        content_type: of the body.
        body: what to send.
        headers: other headers.
    """

    status: int
    content_type: str
    body: bytes
    headers: tuple[Header, ...] = (NO_STORE,)


def reply_text(status: int, text: str, *headers: Header) -> Reply:
    """Lines for people and probes."""
    return Reply(status, TEXT, f"{text}\n".encode(errors="backslashreplace"), (NO_STORE, *headers))


def reply_data(status: int, data: Any, *headers: Header) -> Reply:
    """Data for programs, as JSON."""
    return Reply(status, JSON, json.dumps(data, separators=(",", ":")).encode(), (NO_STORE, *headers))


def reply_error(status: int, code: str, message: str, *headers: Header) -> Reply:
    """An error, in the form of the control socket's."""
    return reply_data(status, {"ok": False, "error": {"code": code, "message": message}}, *headers)
