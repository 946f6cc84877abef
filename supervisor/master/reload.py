"""Taking up changed files: a comparison for the whole fleet, validate-then-swap for a job."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

from ..config import FILE, BrokenFile, FleetSettings, JobFile, clashes, load_fleet, load_job_file, paths, scan
from ..errors import ConfigError
from .changes import Changes, Present, compare
from .roster import Roster, in_order
from .watch import Signature, signature

LIVE = frozenset({"jobs", "defaults", "watch"})
"""Keys of ``tdsup.yaml`` that a reload takes up."""

_log = logging.getLogger("tdsup")


class Reload:
    """Reads files and tells the jobs.

    Args:
        settings: the fleet's.
        roster: its jobs; those that the files of the fleet name now are added.
        now: the present moment.

    Attributes:
        settings: the fleet's, as of the latest reload.
        read: what the files looked like when they were read last, see `signature`.
        done: reloads of the fleet or of jobs, sound or not.
        failed: those that met a fault.
    """

    def __init__(self, settings: FleetSettings, roster: Roster, now: Callable[[], float]) -> None:
        self.settings = self._started = settings
        self.done = 0
        self.failed = 0
        self.read = self.signature(settings)
        self._roster = roster
        self._now = now
        files = scan(settings.jobs, settings.defaults)
        for file in in_order(files):
            self._add(file.name, file)
        for line in clashes(files):
            _log.warning("%s", line)

    def fleet(self, *, dry_run: bool) -> dict[str, Any]:
        """Compare the files with the jobs; returns the comparison.

        Raises:
            ConfigError: a directory or ``tdsup.yaml`` cannot be read; what runs is untouched.
        """
        self.done += not dry_run
        # Taken before they are read, so that what changes meanwhile is noticed.
        before = self.signature(self.settings)
        try:
            settings = load_fleet()
            self.read = self.signature(settings)
            files = scan(settings.jobs, settings.defaults)
        except ConfigError:
            # By the globs that stay, lest the watch take what it sees for news each time.
            self.read = before
            self.failed += not dry_run
            raise
        present = [Present(runner.job.name, runner.job.wanted_file) for runner in self._roster]
        changes = compare(present, files)
        warnings = [*clashes(files), *self._needing_a_start(settings)]
        for line in warnings:
            _log.warning("%s", line)
        if not dry_run:
            self.settings = settings
            self._apply(changes)
            self.failed += bool(changes.broken)
        return {**changes.describe(), "warnings": warnings}

    def jobs(self, names: Sequence[str], *, dry_run: bool) -> dict[str, Any]:
        """Read the files of some jobs again and, where they are sound, start these anew.

        Raises:
            UnknownJob: no job has such a name.
            ConfigError: none of the files can run; what runs is untouched.
        """
        chosen = self._roster.select("reload", names)
        self.done += not dry_run
        changes = Changes()
        for runner in chosen:
            name, old = runner.job.name, runner.job.wanted_file or runner.job.file
            assert old is not None, "a job of the roster has a file"
            try:
                changes.changed[name] = _same_job(name, old.path, self.settings)
            except ConfigError as error:
                lines = (line.removeprefix("cannot load ") for line in error.lines)
                fault = ConfigError(*(f"cannot reload {name}: {line}" for line in lines))
                changes.broken[name] = BrokenFile(old.path, "", name, fault)
        if not dry_run:
            self._apply(changes, asked=True)
            self.failed += bool(changes.broken)
        if changes.broken and not changes.changed:
            raise ConfigError(*(line for file in changes.broken.values() for line in file.error.lines))
        return {**changes.describe(), "warnings": []}

    @staticmethod
    def signature(settings: FleetSettings) -> Signature:
        """What the files look like at this moment; another one means that they have changed."""
        try:
            return signature([FILE, *paths(settings.jobs)])
        except ConfigError as error:
            return frozenset({(str(error), 0, 0, 0)})

    def _needing_a_start(self, settings: FleetSettings) -> list[str]:
        """Keys of ``tdsup.yaml`` that have changed and cannot while the fleet runs, a line each."""
        return [
            f"{FILE}: {key}: takes effect when the fleet is started anew"
            for key in FleetSettings.model_fields
            if key not in LIVE and getattr(settings, key) != getattr(self._started, key)
        ]

    def _apply(self, changes: Changes, *, asked: bool = False) -> None:
        for added in in_order(changes.added.values()):
            self._add(added.name, added)
        for name, changed in changes.changed.items():
            self._load(name, changed, asked=asked)
        for name in changes.removed:
            if runner := self._roster.find(name):
                runner.job.remove(self._now())
                runner.step()
        for name, broken in changes.broken.items():
            self._keep_broken(name, broken)
        counts = ", ".join(f"{len(names)} {outcome}" for outcome, names in changes.describe().items())
        _log.info("reload: %s", counts)

    def _add(self, name: str, file: JobFile | BrokenFile) -> None:
        _tell_file(file)
        self._roster.add(name, file).start()

    def _load(self, name: str, file: JobFile | BrokenFile, *, asked: bool) -> None:
        _tell_file(file)
        if runner := self._roster.find(name):
            runner.job.load(file, self._now(), asked=asked)
            runner.step()

    def _keep_broken(self, name: str, file: BrokenFile) -> None:
        """A file that cannot run: what runs goes on, else its job is blocked."""
        runner = self._roster.find(name)
        if runner is None:
            self._add(name, file)
        elif file.digest and not isinstance(runner.job.wanted_file, JobFile):
            self._load(name, file, asked=False)
        else:
            _tell_file(file)
            runner.job.complain(file.error.summary(), self._now())


def _same_job(name: str, path: str, settings: FleetSettings) -> JobFile:
    """Read a job's file again, which must still name that job."""
    file = load_job_file(path, defaults=settings.defaults)
    if file.name != name:
        reason = f"it is {file.name} now; tdsup reload without a name takes that in"
        raise ConfigError(f"cannot load {path}: [{file.section}] job_name: {reason}")
    return file


def _tell_file(file: JobFile | BrokenFile) -> None:
    """Log what a person should know about a file, once."""
    lines = file.error.lines if isinstance(file, BrokenFile) else file.warnings
    for line in lines:
        _log.log(logging.ERROR if isinstance(file, BrokenFile) else logging.WARNING, "%s", line)
