"""Hides passwords in text that people or programs will see."""

from __future__ import annotations

import re

HIDDEN = "********"

_KEYWORD = re.compile(r"(password\s*=\s*)('(?:[^'\\]|\\.)*'?|(?:[^\s\\]|\\.)+)", re.IGNORECASE)
"""``password=x`` or ``password='x y'`` of a libpq connection string."""

_URL = re.compile(r"(\w://[^\s:/@]*:)([^\s@]+)(@)")
"""``postgresql://user:x@host``."""

_SECRET_KEY = re.compile(r"_db$|password", re.IGNORECASE)


def redact(text: str) -> str:
    """The text with the password of each connection string hidden."""
    if "://" not in text and "password" not in text.lower():
        return text
    return _URL.sub(rf"\1{HIDDEN}\3", _KEYWORD.sub(rf"\1{HIDDEN}", text))


def is_secret(key: str) -> bool:
    """Whether the value of this key must never be shown."""
    return bool(_SECRET_KEY.search(key))
