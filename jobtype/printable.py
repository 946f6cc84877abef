"""Text of strangers, made fit to be shown: on a terminal, in a log, on a page."""

from __future__ import annotations

BRIEF = 1000
"""Most characters of a reason: a line of a log that a person can read."""

_SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}


def printable(text: str) -> str:
    r"""The text with escapes, such as ``\n`` and ``\x1b``, for what a terminal acts on or cannot show.

    These are newlines and other control characters (C0, C1), marks that change the direction of writing, and
    whatever else has no shape of its own.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    return _SHORT.get(char) or char.encode("unicode_escape").decode("ascii")


def brief(text: str) -> str:
    """The text made `printable`, and cut off in its middle where it is longer than `BRIEF`."""
    if len(text) > BRIEF:
        half = BRIEF // 2
        text = f"{text[:half]} … {text[-half:]}"
    return printable(text)
