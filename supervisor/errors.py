"""The errors of the supervisor, in one small tree.

The first line of a docstring is the default message. ``code`` is what a control client sees, ``exit_code``
the exit status of a command.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

from .exits import Exit

NAME_SHOWN = 80
"""Characters of a name or pattern that are repeated."""


class TdsupError(Exception):
    """The supervisor cannot do that."""

    code = "failed"
    exit_code: int = Exit.FAILED

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").partition("\n")[0])


class ConfigError(TdsupError):
    """The configuration is not valid.

    Attributes:
        lines: all faults, one line each.
    """

    code = "bad-config"
    exit_code = Exit.SETUP

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(lines) or None)
        self.lines: tuple[str, ...] = lines or (str(self),)

    def summary(self) -> str:
        """The first fault and the number of others, in one line."""
        more = len(self.lines) - 1
        return self.lines[0] + (f" (and {more} more)" if more else "")


class AlreadyRunning(TdsupError):
    """Another master already runs here."""


class NotRunning(TdsupError):
    """No master listens here."""

    exit_code = Exit.NOT_RUNNING


class BadRequest(TdsupError):
    """The request is not understood."""

    code = "bad-request"


class UnknownJob(TdsupError):
    """No job has that name."""

    code = "unknown-job"

    @classmethod
    def named(cls, name: str, verb: str, known: Iterable[str], *, patterns: bool = True) -> Self:
        """The error for a name or pattern that fits none of those known.

        Args:
            name: as it was given.
            verb: what was to be done.
            known: names of all jobs.
            patterns: a name may be a pattern.
        """
        shown = name[:NAME_SHOWN]
        if patterns and set("*?[") & set(name):
            return cls(f"cannot {verb} {shown}: no job fits")
        # Not at the top: few commands need it.
        from difflib import get_close_matches

        near = get_close_matches(shown, known, n=1)
        guess = f", did you mean {near[0]}?" if near else ""
        return cls(f"cannot {verb} {shown}: no job has that name{guess}")


class NotAllowed(TdsupError):
    """The state or the file of the job does not allow that."""

    code = "not-allowed"


class Forbidden(TdsupError):
    """Whoever asks may not do that."""

    code = "forbidden"


class Stopping(TdsupError):
    """The fleet is stopping."""

    code = "stopping"


class Refused(TdsupError):
    """The master refused the command.

    Attributes:
        code: the error code of the reply.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class IllegalMoveError(TdsupError):
    """An event does not fit the state of the job; this is a defect of the supervisor."""
