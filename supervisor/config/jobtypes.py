"""Finding the job types that are installed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import entry_points

from tdsup.jobtype import GROUP, JobType

from ..errors import ConfigError


def job_types() -> Iterator[JobType]:
    """All installed job types; one that cannot be imported is left out."""
    for entry in entry_points(group=GROUP):
        # Another package's module may raise anything.
        with contextlib.suppress(Exception):
            yield entry.load()


@cache
def find_job_type(name: str) -> JobType:
    """Load the job type of that name, once: what is imported stays, whatever is installed later.

    Raises:
        ConfigError: no installed package offers it.
    """
    found = entry_points(group=GROUP)
    for entry in found:
        if entry.name == name:
            job_type: JobType = entry.load()
            return job_type
    known = ", ".join(sorted(found.names)) or "none"
    raise ConfigError(f"no job type is called {name} (installed: {known})")
