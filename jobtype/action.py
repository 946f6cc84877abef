"""Actions: what people can have a job do besides run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Action:
    """One action that a person can ask for.

    Attributes:
        name: such as ``register``.
        help: what it does, in one sentence.
        run: does it. Gets the job's settings (an instance of `JobType.settings`) and the arguments that the
            action defines; none means all. Yields lines for the person, and raises errors as `JobType.run`.
    """

    name: str
    help: str
    run: Callable[[Any, Sequence[str]], Iterable[str]]
