"""Hides passwords in text that people or programs will see."""

from __future__ import annotations

import re

HIDDEN = "********"

_KEYWORD = re.compile(r"(password\s*=\s*)('(?:[^'\\]|\\.)*'?|(?:[^\s\\]|\\.)+)", re.IGNORECASE)
"""``password=x`` or ``password='x y'`` of a libpq connection string."""

_URL = re.compile(r"(\w://)(\S+)")
"""Whatever is written without a space, from the first place on where a URL may begin."""

_USER = re.compile(r"(?:^|://)[^\s:/@]*:(?!//)")
"""A user's name before a password, at the beginning of a URL or of one within it."""

_SECRET_KEY = re.compile(r"(?:^|[._])db$|password", re.IGNORECASE)


def redact(text: str) -> str:
    """The text with the password of each connection string hidden; takes time by the text's length.

    Of a URL, all between the user and the last ``@`` is hidden: a password may hold an ``@`` as it is.
    """
    if "://" not in text and "password" not in text.lower():
        return text
    return _URL.sub(_hide, _KEYWORD.sub(rf"\1{HIDDEN}", text))


def _hide(match: re.Match[str]) -> str:
    scheme, rest = match.groups()
    end = rest.rfind("@")
    user = _USER.search(rest, 0, end) if end > 0 else None
    if user is None or user.end() == end:
        return match[0]
    return f"{scheme}{rest[: user.end()]}{HIDDEN}{rest[end:]}"


def is_secret(key: str) -> bool:
    """Whether the value of this key must never be shown."""
    return bool(_SECRET_KEY.search(key))
