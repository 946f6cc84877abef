"""The error of this package."""

from __future__ import annotations


class SandboxError(Exception):
    """The sandbox cannot do that; the message says what is missing."""
