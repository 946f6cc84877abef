"""Finding the job types that are installed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from difflib import get_close_matches
from functools import cache
from importlib.metadata import entry_points

from tdsup.jobtype import GROUP, JobType

from ..errors import ConfigError


class UnknownJobType(ConfigError):
    """No installed package offers a job type of that name."""


def job_types() -> Iterator[tuple[str, JobType]]:
    """All installed job types by name; one that cannot be imported is left out."""
    for entry in entry_points(group=GROUP):
        # Another package's module may raise anything.
        with contextlib.suppress(Exception):
            yield entry.name, entry.load()


@cache
def find_job_type(name: str) -> JobType:
    """Load the job type of that name, once; an upgrade of its package takes effect at the next start.

    Raises:
        UnknownJobType: no installed package offers it.
    """
    found = entry_points(group=GROUP)
    for entry in found:
        if entry.name == name:
            job_type: JobType = entry.load()
            return job_type
    known = ", ".join(sorted(found.names)) or "none"
    near = get_close_matches(name, sorted(found.names), n=1)
    hint = f", did you mean {near[0]}?" if near else ""
    raise UnknownJobType(f"no job type is called {name}{hint} (installed: {known})")
