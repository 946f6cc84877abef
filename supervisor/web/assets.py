"""The files of the status page."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.resources import files

FOLDER = "page"

CONTENT_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
"""Content types by suffix; other files are not served."""

INDEX = "index.html"


@dataclass(frozen=True)
class Asset:
    """One file.

    Attributes:
        content_type: of the file.
        body: the file itself.
        etag: changes with the body.
    """

    content_type: str
    body: bytes
    etag: bytes


def load_assets() -> dict[str, Asset]:
    """All files of the page, by the path at which they are served; the page itself is at ``/``."""
    found = {}
    for file in files(__package__).joinpath(FOLDER).iterdir():
        _, dot, suffix = file.name.rpartition(".")
        content_type = CONTENT_TYPES.get(dot + suffix)
        if content_type is not None:
            body = file.read_bytes()
            etag = f'"{hashlib.sha256(body).hexdigest()[:24]}"'.encode()
            found["/" + file.name.removesuffix(INDEX)] = Asset(content_type, body, etag)
    return found
