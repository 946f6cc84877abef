"""Keys of advisory locks."""

from __future__ import annotations

import hashlib
from functools import lru_cache


@lru_cache
def lock_key(*names: str) -> int:
    """Key of the advisory lock on some names: a signed integer of 64 bits."""
    digest = hashlib.sha256("\0".join(("tdsup", *names)).encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
