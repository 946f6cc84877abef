"""The jobs of a fleet by name, in the order in which they start."""

from __future__ import annotations

import fnmatch
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from ..config import BrokenConfig, JobConfig, Present
from ..errors import UnknownJob
from ..jobs import Job, State
from .runner import Runner

AnyConfig = TypeVar("AnyConfig", bound=JobConfig | BrokenConfig)


class Roster:
    """The jobs of a fleet.

    Args:
        make: makes the runner of a job from its name and file.
    """

    def __init__(self, make: Callable[[str, JobConfig | BrokenConfig], Runner]) -> None:
        self._make = make
        self._runners: dict[str, Runner] = {}

    def __iter__(self) -> Iterator[Runner]:
        """Runners by priority, those of equal priority by name."""
        return iter(
            sorted(self._runners.values(), key=lambda runner: _rank(runner.job.file, runner.job.name))
        )

    def unsorted(self) -> Iterable[Runner]:
        """Runners in no order, which costs less."""
        return self._runners.values()

    def __len__(self) -> int:
        return len(self._runners)

    def jobs(self) -> list[Job]:
        """The jobs alone."""
        return [runner.job for runner in self]

    def present(self) -> list[Present]:
        """The jobs and what they run, for a comparison with files."""
        return [Present(job.name, job.wanted_file) for job in self.jobs()]

    def headcount(self) -> str:
        """How many jobs there are, and how many are in which state, in one line."""
        states = Counter(runner.job.state for runner in self._runners.values())
        counts = (f"{states[state]} {state.value}" for state in State if states[state])
        number = "1 job" if len(self) == 1 else f"{len(self)} jobs"
        return f"{number}: {', '.join(counts)}" if states else "no jobs"

    def by_name(self) -> list[Runner]:
        """Runners as people look for them."""
        return [runner for _name, runner in sorted(self._runners.items())]

    def add(self, name: str, file: JobConfig | BrokenConfig) -> Runner:
        """Add a new job, and make its runner."""
        runner = self._runners[name] = self._make(name, file)
        return runner

    def find(self, name: str) -> Runner | None:
        """The job of exactly that name."""
        return self._runners.get(name)

    def holds(self, runner: Runner) -> bool:
        """Whether this runner, and no later one of its name, is there."""
        return self._runners.get(runner.job.name) is runner

    def forget(self, runner: Runner) -> None:
        """Remove a job; one that is not there any more is no error."""
        if self.holds(runner):
            del self._runners[runner.job.name]

    def select(self, verb: str, names: Sequence[str]) -> list[Runner]:
        """The jobs of these names; a name that no job has is taken for a pattern (`fnmatch`).

        Args:
            verb: what to do to them, for the message.
            names: the names and patterns; none means all jobs.

        Raises:
            UnknownJob: a name or pattern fits no job.
        """
        if not names:
            return self.by_name()
        chosen: dict[str, Runner] = {}
        for name in names:
            fitting = [name] if name in self._runners else fnmatch.filter(self._runners, name)
            if not fitting:
                raise UnknownJob.named(name, verb, self._runners)
            chosen.update((each, self._runners[each]) for each in sorted(fitting))
        return list(chosen.values())


def in_order(files: Iterable[AnyConfig]) -> list[AnyConfig]:
    """Files in the order in which their jobs start."""
    return sorted(files, key=lambda file: _rank(file, file.name))


def _rank(file: JobConfig | BrokenConfig | None, name: str) -> tuple[int, str]:
    return file.host.priority if isinstance(file, JobConfig) else 0, name
