"""Watchers: for each thing that several jobs would look at, one process looks for all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from ..config import JobConfig
from ..jobs import State
from ..loop import Loop
from ..worker import Watch
from .roster import Roster
from .runner import Runner, take_trouble

Watched = tuple[str, str, str]
"""Section of a job type, and what its jobs say is watched, under which word; secret."""


@dataclass(slots=True)
class Group:
    """Jobs with one watcher.

    Attributes:
        what: is watched.
        files: of the jobs, by name.
        runner: of the watcher.
        former: watchers before it, each with the files of its jobs; they end once this one looks.
    """

    what: str
    files: Mapping[str, JobConfig]
    runner: Runner
    former: dict[Runner, Mapping[str, JobConfig]] = field(default_factory=dict)

    @property
    def looks(self) -> bool:
        """Whether one of them looks."""
        return any(runner.job.state is State.RUNNING for runner in (self.runner, *self.former))

    def seen_by(self, runner: Runner) -> set[str]:
        """Jobs for which a watcher looks, by the files that they have now."""
        files = self.files if runner is self.runner else self.former[runner]
        return {
            name for name, file in self.files.items() if name in files and files[name].digest == file.digest
        }


class Watchers:
    """Keeps a watcher for each group of jobs, and passes news on.

    Args:
        roster: of the jobs.
        loop: tells the time.
        make: makes the runner of a watcher.
    """

    def __init__(self, roster: Roster, loop: Loop, make: Callable[[Watch], Runner]) -> None:
        self._roster = roster
        self._loop = loop
        self._make = make
        self._groups: dict[Watched, Group] = {}
        self._ending: list[Runner] = []

    def __iter__(self) -> Iterator[Runner]:
        """Runners of all watchers that have, or will have, a process."""
        for group in self._groups.values():
            yield group.runner
            yield from group.former
        yield from self._ending

    def faults(self) -> list[str]:
        """Why watchers do not look, a line each: their jobs poll."""
        return [
            f"{runner.job.name}: {runner.job.reason}"
            for group in self._groups.values()
            if (runner := group.runner).job.reason
        ]

    def fit(self) -> None:
        """Let there be watchers for just the jobs that there are now."""
        wanted: dict[Watched, dict[str, JobConfig]] = {}
        for job in self._roster.jobs():
            for watched in _watched(file := job.wanted_file):
                assert isinstance(file, JobConfig)
                wanted.setdefault(watched, {})[job.name] = file
        for watched in [each for each in self._groups if each not in wanted]:
            group = self._groups.pop(watched)
            self._end([group.runner, *group.former])
            self._tell(group, None)
        for watched, files in wanted.items():
            self._watch(watched, files)

    def changed(self, runner: Runner) -> None:
        """A watcher's state has changed: its jobs rely on it only while it looks."""
        if runner.job.pid is None and runner in self._ending:
            self._ending.remove(runner)
        for group in self._groups.values():
            if runner is group.runner and runner.job.state is State.RUNNING:
                former, group.former = group.former, {}
                self._end([*former])
                self._tell(group, 0)
            elif runner in {group.runner, *group.former} and not group.looks:
                self._tell(group, None)

    def news(self, runner: Runner, news: Mapping[str, int]) -> None:
        """Tell jobs what a watcher has told."""
        for group in self._groups.values():
            if runner in {group.runner, *group.former}:
                # A former one does not know which jobs have left, or have come back with another file.
                for name in news.keys() & group.seen_by(runner):
                    self._tell_job(name, group.what, news[name])

    def note(self, values: Mapping[str, Mapping[str, Any]]) -> None:
        """Take numbers of jobs that a watcher has told."""
        for name, numbers in values.items():
            runner = self._roster.find(name)
            if runner is not None and runner.job.pid is not None:
                runner.job.tally.note(numbers)
                take_trouble(runner.job, numbers)

    def _watch(self, watched: Watched, files: Mapping[str, JobConfig]) -> None:
        group = self._groups.get(watched)
        if group is not None and _are_same(group.files, files):
            return
        what = watched[1]
        runner = self._make(Watch(self._free_name(), what, files))
        former = {} if group is None else {group.runner: group.files, **group.former}
        new = self._groups[watched] = Group(what, files, runner, former)
        if group is not None:
            # Those that have left or changed: nobody looks for them until the new watcher does.
            for name in group.files.keys() - new.seen_by(group.runner):
                self._tell_job(name, what, None)
        runner.start()

    def _free_name(self) -> str:
        """A name that no watcher has: logs are called by it, and should not grow in number."""
        taken = {runner.job.name for runner in self}
        return next(name for number in count(1) if (name := f"tdsup-watcher-{number}") not in taken)

    def _tell(self, group: Group, news: int | None) -> None:
        for name in group.files:
            self._tell_job(name, group.what, news)

    def _tell_job(self, name: str, what: str, news: int | None) -> None:
        if (runner := self._roster.find(name)) is not None:
            runner.tell(what, news)
            if news is None:
                runner.job.tally.forget_noted()

    def _end(self, runners: list[Runner]) -> None:
        self._ending += runners
        for runner in runners:
            runner.job.stop(self._loop.now())
            runner.step()
            if runner.job.pid is None and runner in self._ending:
                self._ending.remove(runner)


def _watched(file: object) -> list[Watched]:
    """What is watched for a job; empty if it looks for itself."""
    if not isinstance(file, JobConfig) or file.host.disabled:
        return []
    return [(file.section, what, where) for what, where in file.job_type.watched(file.settings).items()]


def _are_same(one: Mapping[str, JobConfig], other: Mapping[str, JobConfig]) -> bool:
    """Whether the same files are watched."""
    return {name: file.digest for name, file in one.items()} == {
        name: file.digest for name, file in other.items()
    }
