"""What people may have done about a job besides running it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that a person may have done about a job.

    Attributes:
        name: how it is called, such as ``register``.
        help: what it does, in one sentence.
        run: does it, given the job's settings (an instance of `JobType.settings`) and arguments in the
            action's own terms, where none means all. It yields lines for the person, and raises errors as
            `JobType.run` does.
    """

    name: str
    help: str
    run: Callable[[Any, Sequence[str]], Iterable[str]]
