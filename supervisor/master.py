"""The master: one process, one thread, one loop, and the jobs of one directory."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import random
import signal
from collections.abc import Callable
from functools import partial
from typing import Any

from .backoff import Backoff, Schedule
from .changes import Present, compare
from .commands import VERSION, serve
from .control import ControlServer
from .errors import ConfigError, Stopping, TdsupError, UnknownJob
from .fleet import FleetSettings
from .job import Job, Timeouts
from .jobfile import BrokenFile, JobFile, load_job_file, scan
from .loop import Loop
from .process import Body
from .report import job_metrics, job_status
from .runner import Runner
from .web import run_web
from .worker import run_worker

_log = logging.getLogger("tdsup")


class Master:
    """Runs the jobs of a fleet until told to stop. The caller holds the fleet's lock.

    Args:
        settings: the fleet's settings; its directory is the working directory.
        loop: what waits.

    Raises:
        OSError: the control socket cannot be made.
    """

    def __init__(self, settings: FleetSettings, loop: Loop) -> None:
        self._settings = settings
        self._loop = loop
        self._begun = loop.now()
        self._stopping = False
        self._runners: dict[str, Runner] = {}
        self._schedule = Schedule(settings.backoff_first, settings.backoff_limit, settings.backoff_reset)
        self._timeouts = Timeouts(settings.heartbeat_timeout, settings.stop_timeout, settings.kill_timeout)
        for file in scan(settings.jobs):
            self._add(file.name, file)
        # After all imports and before the first fork: children then share these pages for good.
        gc.collect()
        gc.freeze()
        self._control = ControlServer(settings.socket, loop, partial(serve, self))
        self._web = self._runner("tdsup-web", None, "tdsup: web", lambda _job: partial(run_web, settings))

    def run(self, ready: Callable[[], None]) -> None:
        """Run the fleet; returns once all of it has stopped.

        Args:
            ready: called when the control socket answers.
        """
        for number, callback in {
            signal.SIGINT: self._stop_by_signal,
            signal.SIGTERM: self._stop_by_signal,
            signal.SIGHUP: self._reload_by_signal,
        }.items():
            self._loop.on_signal(number, callback)
        _log.info("tdsup %s runs %d jobs (pid %d)", VERSION, len(self._runners), os.getpid())
        if not self._runners:
            _log.warning("no job file matches %s", " ".join(self._settings.jobs))
        for runner in self._all():
            runner.start()
        self._loop.at(self._loop.now(), ready)
        try:
            self._loop.run()
        finally:
            for runner in self._all():
                runner.kill()
        self._control.close()
        _log.info("the fleet has stopped")

    def status(self) -> dict[str, Any]:
        """State of all jobs, of the master and of the web child; see `commands`."""
        now = self._loop.now()
        web = self._web.job
        address = web.tally.labels.get("address") if web.pid else None
        web_error = web.last_error[0] if web.last_error and not address else ""
        return {
            "jobs": [job_status(runner.job, now) for _name, runner in sorted(self._runners.items())],
            "master": {"pid": os.getpid(), "uptime": round(now - self._begun, 3), "version": VERSION},
            "web": address,
            "web_error": web_error,
        }

    def metrics(self) -> dict[str, Any]:
        """Numbers of all jobs; see `commands`."""
        now = self._loop.now()
        jobs = [job_metrics(runner.job, now) for _name, runner in sorted(self._runners.items())]
        return {"jobs": jobs, "version": VERSION}

    def reload(self, job: str | None) -> dict[str, Any]:
        """Read the files again; see `commands`. Returns what changes.

        Raises:
            Stopping: the fleet is about to end.
            UnknownJob: no job has that name.
            ConfigError: the file of that job cannot run; what runs is untouched.
        """
        if self._stopping:
            raise Stopping("cannot reload: the fleet is stopping")
        return self._reload_fleet() if job is None else self._reload_job(job)

    def stop(self) -> dict[str, Any]:
        """Begin to stop all jobs, in parallel; see `commands`."""
        self._stopping = True
        for runner in self._all():
            runner.job.stop(self._loop.now())
            runner.step()
        self._end_if_idle()
        return {"stopping": [name for name, runner in sorted(self._runners.items()) if runner.job.pid]}

    def _all(self) -> list[Runner]:
        return [*self._runners.values(), self._web]

    def _runner(
        self, name: str, file: JobFile | BrokenFile | None, title: str, body: Callable[[Job], Body]
    ) -> Runner:
        # Chance only spreads restarts; nobody gains by guessing it.
        backoff = Backoff(self._schedule, random.random)
        job = Job(name, file, backoff, self._timeouts, self._loop.now())
        return Runner(job, self._loop, title, body, self._changed, self._wants_reload)

    def _add(self, name: str, file: JobFile | BrokenFile) -> None:
        _tell_file(file)
        self._runners[name] = self._runner(name, file, f"tdsup: job {name}", _job_body)

    def _load(self, name: str, file: JobFile | BrokenFile) -> None:
        _tell_file(file)
        self._runners[name].job.load(file, self._loop.now())
        self._runners[name].step()

    def _changed(self, runner: Runner) -> None:
        """A job's state has changed."""
        job = runner.job
        if job.removed and self._runners.get(job.name) is runner:
            _log.info("%s: removed", job.name)
            del self._runners[job.name]
        self._end_if_idle()

    def _end_if_idle(self) -> None:
        if self._stopping and all(runner.job.pid is None for runner in self._all()):
            self._loop.stop()

    def _reload_job(self, name: str) -> dict[str, Any]:
        runner = self._runners.get(name)
        if runner is None or runner.job.file is None:
            raise UnknownJob(f"cannot reload {name[:80]}: no job has that name")
        try:
            file = _same_job(name, runner.job.file.path)
        except ConfigError as error:
            runner.job.complain(error.summary(), self._loop.now())
            _log_lines(logging.ERROR, error.lines)
            lines = (line.removeprefix("cannot load ") for line in error.lines)
            raise ConfigError(*(f"cannot reload {name}: {line}" for line in lines)) from error
        self._load(name, file)
        return {"changed": [name]}

    def _reload_fleet(self) -> dict[str, Any]:
        present = [Present(name, each.job.wanted_file) for name, each in self._runners.items()]
        changes = compare(present, scan(self._settings.jobs))
        for name, added in changes.added.items():
            self._add(name, added)
            self._runners[name].start()
        for name, changed in changes.changed.items():
            self._load(name, changed)
        for name in changes.removed:
            self._runners[name].job.remove(self._loop.now())
            self._runners[name].step()
        for name, broken in changes.broken.items():
            self._keep_broken(name, broken)
        answer = changes.describe()
        counts = ", ".join(f"{len(names)} {outcome}" for outcome, names in answer.items())
        _log.info("reload: %s", counts)
        return answer

    def _keep_broken(self, name: str, file: BrokenFile) -> None:
        """A file that cannot run: what runs goes on, else its job is blocked."""
        runner = self._runners.get(name)
        if runner is None:
            self._add(name, file)
            self._runners[name].start()
        elif not isinstance(runner.job.wanted_file, JobFile):
            self._load(name, file)
        else:
            _tell_file(file)
            runner.job.complain(file.error.summary(), self._loop.now())

    def _wants_reload(self, runner: Runner) -> None:
        """Somebody has sent SIGHUP to a job's process."""
        # Not at once: this is called amid the messages of the process, which a reload may end.
        self._loop.at(self._loop.now(), partial(self._reload_for_process, runner))

    def _reload_for_process(self, runner: Runner) -> None:
        name = runner.job.name
        if not self._stopping and self._runners.get(name) is runner:
            _log.info("%s: asked to reload by SIGHUP to its process", name)
            # The faults of a bad file are logged already.
            with contextlib.suppress(TdsupError):
                self._reload_job(name)

    def _stop_by_signal(self) -> None:
        if not self._stopping:
            _log.info("asked to stop by a signal")
            self.stop()

    def _reload_by_signal(self) -> None:
        if not self._stopping:
            _log.info("asked to reload by SIGHUP")
            try:
                self._reload_fleet()
            except ConfigError as error:
                _log_lines(logging.ERROR, error.lines)


def _same_job(name: str, path: str) -> JobFile:
    """Read a job's file again, which must still name that job."""
    file = load_job_file(path)
    if file.name != name:
        reason = f"it is {file.name} now; tdsup reload without a name takes that in"
        raise ConfigError(f"cannot load {path}: [{file.section}] job_name: {reason}")
    return file


def _job_body(job: Job) -> Body:
    """What the process of a job does."""
    if not isinstance(job.file, JobFile):
        raise ConfigError(f"cannot start {job.name}: its file is broken")
    return partial(run_worker, job.file)


def _tell_file(file: JobFile | BrokenFile) -> None:
    """Log what a person should know about a file, once."""
    if isinstance(file, BrokenFile):
        _log_lines(logging.ERROR, file.error.lines)
    else:
        _log_lines(logging.WARNING, file.warnings)


def _log_lines(level: int, lines: tuple[str, ...]) -> None:
    for line in lines:
        _log.log(level, "%s", line)
