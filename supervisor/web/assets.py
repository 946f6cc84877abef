"""The files of the status page."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.resources import files

FOLDER = "page"

KINDS = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
"""Content types by suffix; a file of another kind is not served."""

INDEX = "index.html"


@dataclass(frozen=True)
class Asset:
    """One file.

    Attributes:
        kind: its content type.
        body: its content.
        etag: changes with the content.
    """

    kind: str
    body: bytes
    etag: bytes


def load_assets() -> dict[str, Asset]:
    """All files of the page by the path they are served at; the page itself is at ``/``."""
    found = {}
    for file in files(__package__).joinpath(FOLDER).iterdir():
        _, dot, suffix = file.name.rpartition(".")
        kind = KINDS.get(dot + suffix)
        if kind is not None:
            body = file.read_bytes()
            etag = f'"{hashlib.sha256(body).hexdigest()[:24]}"'.encode()
            found["/" + file.name.removesuffix(INDEX)] = Asset(kind, body, etag)
    return found
