"""Actions of a job type, carried out for a person at a terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from tdsup.jobtype import printable

from ...config import JobConfig
from ...errors import ConfigError
from ...exits import Exit
from ...worker import explain


def can(file: JobConfig, name: str) -> bool:
    """Whether the job's type has such an action."""
    return any(action.name == name for action in file.job_type.actions)


def perform(file: JobConfig, name: str, arguments: Sequence[str] = ()) -> int:
    """Carry out an action and print what it says; returns the exit status.

    Args:
        file: the job's.
        name: of the action.
        arguments: what to do it to.

    Raises:
        ConfigError: the job type has no such action.
    """
    action = next((action for action in file.job_type.actions if action.name == name), None)
    if action is None:
        raise ConfigError(f"cannot {name} {file.name}: jobs of type {file.section} have no such action")
    try:
        for line in action.run(file.settings, arguments):
            print("\n".join(map(printable, line.split("\n"))), flush=True)  # noqa: T201 (a program speaks to its user)
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 (a job type may raise anything)
        print(explain(error, file.name), file=sys.stderr)  # noqa: T201 (a program speaks to its user)
        return Exit.FAILED
    return Exit.OK
