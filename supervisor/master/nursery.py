"""Where runners come from: those of jobs, of watchers and of the web child."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from ..config import BrokenConfig, FleetSettings, JobConfig
from ..errors import ConfigError
from ..jobs import Backoff, Job, Schedule, Timeouts
from ..loop import Loop
from ..worker import Start, Surroundings, Watch, run_watcher, run_worker
from .process import Body
from .runner import Hooks, Runner

WATCHER_SILENCE = 5.0
"""Seconds without a sign of life from a watcher until it is replaced: meanwhile its jobs may miss news."""


class Nursery:
    """Makes runners.

    Args:
        settings: the fleet's.
        loop: what waits.
        hooks: of all runners.
    """

    def __init__(self, settings: FleetSettings, loop: Loop, hooks: Hooks) -> None:
        self._settings = settings
        self._loop = loop
        self._hooks = hooks
        self._schedule = Schedule(settings.backoff_first, settings.backoff_limit, settings.backoff_reset)
        self._timeouts = Timeouts(settings.heartbeat_timeout, settings.stop_timeout, settings.kill_timeout)
        self._surroundings = Surroundings(settings.beat, settings.stream)

    def job(self, name: str, file: JobConfig | BrokenConfig) -> Runner:
        """The runner of a job."""
        body = partial(_job_body, self._surroundings)
        return self._runner(self._job(name, file, self._timeouts), f"tdsup: job {name}", body)

    def watcher(self, watch: Watch) -> Runner:
        """The runner of a watcher."""
        job = self._job(watch.name, None, replace(self._timeouts, heartbeat=WATCHER_SILENCE))
        body = partial(run_watcher, watch, self._settings)
        return self._runner(
            job, f"tdsup: {watch.name.removeprefix('tdsup-')} of a {watch.what}", lambda _job: body
        )

    def web(self, body: Body) -> Runner:
        """The runner of the web child, which does what `body` says."""
        return self._runner(self._job("tdsup-web", None, self._timeouts), "tdsup: web", lambda _job: body)

    def _job(self, name: str, file: JobConfig | BrokenConfig | None, timeouts: Timeouts) -> Job:
        # Chance only spreads restarts; nobody gains by guessing it.
        return Job(name, file, Backoff(self._schedule, random.random), timeouts, self._loop.now())

    def _runner(self, job: Job, title: str, body: Callable[[Job], Body]) -> Runner:
        return Runner(job, self._loop, title, body, self._hooks)


def _job_body(surroundings: Surroundings, job: Job) -> Body:
    """What the process of a job does; see `run_worker`."""
    if not isinstance(job.file, JobConfig):
        raise ConfigError(f"cannot start {job.name}: its file is broken")
    return partial(run_worker, job.file, surroundings, Start(job.asked, job.identity))
