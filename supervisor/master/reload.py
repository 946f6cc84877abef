"""Reading job files: at the start, when somebody asks, and when they have changed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from functools import partial
from typing import Any

from ..config import (
    BrokenConfig,
    Changes,
    FleetSettings,
    JobConfig,
    Present,
    Signature,
    Watch,
    clashes,
    compare,
    load_fleet,
    needing_a_start,
    passed_over,
    paths,
    read_again,
    scan_fleet,
    settle,
    shares,
    signature,
)
from ..errors import ConfigError, TdsupError
from ..kept import KeptPauses
from ..loop import Loop, Timer
from ..manager import Manager
from ..protocol import FILE
from .left import Left, lines
from .report import Reloads
from .roster import Roster, in_order
from .runner import Runner

LOOK = 1.0
"""Seconds between two looks at the files."""

_log = logging.getLogger("tdsup")


class Reload:
    """Reads files and tells the jobs.

    Args:
        settings: the fleet's, as it starts.
        roster: its jobs; those that the files name are added.
        loop: what waits.
        manager: is told while the fleet's files are read.
        kept: jobs that begin paused.
        changed: called when there are other jobs, or other files of theirs.

    Attributes:
        reloads: those of the fleet or of jobs.
        left: what jobs have left behind.
    """

    def __init__(
        self,
        settings: FleetSettings,
        roster: Roster,
        loop: Loop,
        manager: Manager,
        kept: KeptPauses,
        *,
        changed: Callable[[], None],
    ) -> None:
        self.reloads = Reloads()
        self.left = Left()
        self._settings = self._started = settings
        self._roster = roster
        self._loop = loop
        self._manager = manager
        self._kept = kept
        self._changed = changed
        self._watch = Watch(loop.now())
        self._next_look: Timer | None = None
        self._ended = False

    def begin(self) -> None:
        """Read the files for the first time, start their jobs and, from now on, look for changes.

        Raises:
            ConfigError: a directory cannot be read.
        """
        if self._kept.fault:
            _log.warning("%s", self._kept.fault)
        self._watch.has_read(_look_at(self._settings))
        files = scan_fleet(self._settings)
        changes = compare([], files)
        settle(changes, [])
        self.reloads.is_sound = not changes.broken
        every: list[JobConfig | BrokenConfig] = [*changes.added.values(), *changes.broken.values()]
        added = [self._add(file.name, file) for file in in_order(every)]
        for line in (*passed_over(self._settings.jobs), *clashes(files), *shares(files)):
            _log.warning("%s", line)
        self._changed()
        for runner in added:
            runner.start()
        self._look()

    def end(self) -> None:
        """Stop reloading unasked: the fleet is stopping."""
        self._ended = True
        if self._next_look is not None:
            self._next_look.cancel()

    def fleet(self, *, dry_run: bool) -> dict[str, Any]:
        """Compare the files with the jobs, and do what has to be done; returns what that is.

        Raises:
            ConfigError: a directory or ``tdsup.yaml`` cannot be read; what runs is untouched.
        """
        with nullcontext() if dry_run else self._manager.reloading():
            return self._fleet(dry_run=dry_run)

    def _fleet(self, *, dry_run: bool) -> dict[str, Any]:
        # Looked at before they are read, so that a change in between is noticed.
        before = _look_at(self._settings)
        try:
            settings = load_fleet()
            self._watch.has_read(_look_at(settings))
            files = scan_fleet(settings)
        except ConfigError:
            # By the globs that stay in use; by others the next look would see a change again.
            self._watch.has_read(before)
            if not dry_run:
                self.reloads.note(failed=True)
            raise
        present = self._roster.present()
        changes = compare(present, files)
        settle(changes, present)
        warnings = [
            *passed_over(settings.jobs),
            *clashes(files),
            *shares(files),
            *needing_a_start(self._started, settings),
        ]
        for line in warnings:
            _log.warning("%s", line)
        answer = self._answer(changes, warnings)
        if not dry_run:
            self._settings = settings
            self._apply(changes)
            self.reloads.note(failed=bool(changes.broken))
        return answer

    def jobs(self, names: Sequence[str], *, dry_run: bool) -> dict[str, Any]:
        """Read the files of some jobs again, and restart those that are sound; returns what was done.

        Raises:
            UnknownJob: no job has such a name.
            ConfigError: none of them is sound; what runs is untouched.
        """
        chosen = self._roster.select("reload", names)
        changes = Changes()
        for runner in chosen:
            name, old = runner.job.name, runner.job.wanted_file or runner.job.file
            assert old is not None, "a job of the roster has a file"
            try:
                changes.changed[name] = _read_again(name, old, self._settings)
            except ConfigError as error:
                lines = (line.removeprefix("cannot load ") for line in error.lines)
                fault = ConfigError(*(f"cannot reload {name}: {line}" for line in lines))
                changes.broken[name] = BrokenConfig(old.path, old.section, name, fault, entry=old.entry)
        present = self._roster.present()
        others = Changes(
            changed=changes.changed,
            unchanged=[job.name for job in present if job.name not in changes.changed],
            broken=changes.broken,
        )
        settle(others, present)
        answer = self._answer(changes, [])
        if not dry_run:
            self._apply(changes, asked=True)
            self.reloads.note(failed=bool(changes.broken))
        if changes.broken and not changes.changed:
            raise ConfigError(*(line for file in changes.broken.values() for line in file.error.lines))
        return answer

    def unasked(self, why: str) -> None:
        """Reload the fleet where nobody waits for the answer: faults go into the log."""
        if self._ended:
            return
        _log.info("%s", why)
        try:
            self.fleet(dry_run=False)
        except ConfigError as error:
            for line in error.lines:
                _log.error("%s", line)

    def for_process(self, runner: Runner) -> None:
        """Reload a job soon: somebody has sent SIGHUP to its process."""
        # Not at once: we are between two messages of the process, which a reload may end.
        self._loop.at(self._loop.now(), partial(self._job_unasked, runner))

    def _job_unasked(self, runner: Runner) -> None:
        name = runner.job.name
        if not self._ended and self._roster.holds(runner):
            _log.info("%s: asked to reload by SIGHUP to its process", name)
            # Faults of the file are in the log already.
            with suppress(TdsupError):
                self.jobs([name], dry_run=False)

    def _look(self) -> None:
        """Reload if files have changed and settled, and come back for the next look."""
        settings = self._settings
        if settings.watch and self._watch.settled(_look_at(settings), self._loop.now()):
            self.unasked("files have changed")
        self._next_look = self._loop.at(self._loop.now() + LOOK, self._look)

    def _answer(self, changes: Changes, warnings: Sequence[str]) -> dict[str, Any]:
        """What is said of changes before they are made; `warnings` are those between files."""
        return {
            **changes.describe(),
            "warnings": [*changes.warnings(), *warnings],
            "left": lines(self.left.after(changes, self._roster.jobs())),
        }

    def _apply(self, changes: Changes, *, asked: bool = False) -> None:
        self.left.keep(self.left.after(changes, self._roster.jobs()))
        added = [self._add(file.name, file) for file in in_order(changes.added.values())]
        for name, changed in changes.changed.items():
            self._load(name, changed, asked=asked)
        for name in changes.removed:
            if runner := self._roster.find(name):
                runner.job.remove(self._loop.now())
                runner.step()
        for name, broken in changes.broken.items():
            self._keep_broken(name, broken, asked=asked)
        self._changed()
        for runner in added:
            runner.start()
        counts = ", ".join(f"{len(names)} {outcome}" for outcome, names in changes.describe().items())
        _log.info("reload: %s", counts)

    def _add(self, name: str, file: JobConfig | BrokenConfig) -> Runner:
        _tell_file(file)
        runner = self._roster.add(name, file)
        if name in self._kept:
            _log.info("%s: stays paused, as pause --keep has asked", name)
            runner.job.pause(self._loop.now())
        return runner

    def _load(self, name: str, file: JobConfig | BrokenConfig, *, asked: bool) -> None:
        _tell_file(file)
        if runner := self._roster.find(name):
            runner.job.load(file, self._loop.now(), asked=asked)
            runner.step()

    def _keep_broken(self, name: str, file: BrokenConfig, *, asked: bool) -> None:
        """A job that cannot run as its file describes it now: what runs goes on, else it is blocked."""
        runner = self._roster.find(name)
        if runner is None:
            self._add(name, file).start()
        elif not asked and not isinstance(runner.job.wanted_file, JobConfig):
            self._load(name, file, asked=False)
        else:
            _tell_file(file)
            runner.job.complain(file.error.summary(), self._loop.now())


def _read_again(name: str, old: JobConfig | BrokenConfig, settings: FleetSettings) -> JobConfig:
    """Read a job's file again; other jobs in it do not count.

    Raises:
        ConfigError: the job is broken now, or is not in its file any more.
    """
    changes = compare([Present(name, old)], read_again(old, settings))
    if name in changes.broken:
        raise changes.broken[name].error
    if name in changes.removed:
        reason = f"none of its jobs is called {name} now"
        for job in changes.added.values():
            if job.section == old.section and not old.entry:
                reason = f"[{job.section}] job_name: it is {job.name} now"
        raise ConfigError(f"cannot load {old.path}: {reason}; tdsup reload without a name takes that in")
    if isinstance(old, JobConfig) and name in changes.unchanged:
        return old
    return changes.changed[name]


def _look_at(settings: FleetSettings) -> Signature:
    """What the files look like at this moment."""
    try:
        return signature([FILE, *paths(settings.jobs)])
    except ConfigError as error:
        return frozenset({(str(error), 0, 0, 0)})


def _tell_file(file: JobConfig | BrokenConfig) -> None:
    """Log what a person should know about a job as its file describes it."""
    lines = file.error.lines if isinstance(file, BrokenConfig) else file.warnings
    for line in lines:
        _log.log(logging.ERROR if isinstance(file, BrokenConfig) else logging.WARNING, "%s", line)
