"""The master: one process, one thread, one loop, and the jobs of one fleet."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from .. import logs
from ..chronicle import Chronicle
from ..config import FleetSettings
from ..control import Access, ControlServer, Lock, serve
from ..errors import NotAllowed, Stopping
from ..kept import KeptPauses
from ..loop import Loop
from ..manager import Manager
from ..protocol import VERSION, Verb
from .immortal import freeze
from .nursery import Nursery
from .process import Body
from .reload import Reload
from .report import described, job_metrics, job_status
from .roster import Roster
from .runner import Hooks, Runner
from .watchers import Watchers

MARGIN = 5.0
"""Seconds that a stop may take beyond those that jobs have."""

_log = logging.getLogger("tdsup")


class Master:
    """Runs the jobs of a fleet until told to stop.

    Args:
        settings: the fleet's settings; its directory is the working directory.
        loop: what waits.
        web: what the web child does.
        lock: the fleet's, which the caller holds.

    Raises:
        OSError: the control socket cannot be made.
    """

    def __init__(self, settings: FleetSettings, loop: Loop, web: Body, lock: Lock) -> None:
        self._settings = settings
        self._loop = loop
        self._begun = loop.now()
        self._stopping = False
        hooks = Hooks(
            lambda runner: self._changed(runner),
            lambda runner: self._reload.for_process(runner),
            lambda runner, news: self._watchers.news(runner, news),
            lambda values: self._watchers.note(values),
        )
        nursery = Nursery(settings, loop, hooks)
        self._roster = Roster(nursery.job)
        self._manager = Manager(
            loop, self._roster.headcount, settings.stop_timeout + settings.kill_timeout + MARGIN
        )
        self._kept = KeptPauses(Path(settings.state))
        self._chronicle = Chronicle(Path(settings.state))
        self._watchers = Watchers(self._roster, loop, nursery.watcher)
        self._reload = Reload(
            settings, self._roster, loop, self._manager, self._kept, changed=self._watchers.fit
        )
        access = Access(settings.socket_group, settings.socket_readers)
        self._control = ControlServer(settings.socket, loop, partial(serve, self), access, lock)
        self._web = nursery.web(web)

    def run(self, ready: Callable[[], None]) -> None:
        """Run the fleet; returns once all of it has stopped.

        Args:
            ready: called when the control socket answers.

        Raises:
            ConfigError: a directory of job files cannot be read.
        """
        callbacks: dict[signal.Signals, Callable[[], object]] = {
            signal.SIGINT: self._stop_by_signal,
            signal.SIGTERM: self._stop_by_signal,
            signal.SIGHUP: partial(self._reload.unasked, "asked to reload by SIGHUP"),
            signal.SIGUSR1: partial(self.rotate, []),
        }
        for number, callback in callbacks.items():
            self._loop.on_signal(number, callback)
        try:
            self._reload.begin()
            made = freeze(shares=self._settings.share_objects)
            _log.info("tdsup %s runs %d jobs (pid %d)", VERSION, len(self._roster), os.getpid())
            if made:
                _log.info("jobs share %d objects without counting their use", made)
            if not len(self._roster):
                _log.warning("no job file matches %s", " ".join(self._settings.jobs))
            self._web.start()
            self._loop.at(self._loop.now(), ready)
            self._loop.at(self._loop.now(), self._manager.ready)
            self._loop.run()
        finally:
            for runner in self._all():
                runner.send(signal.SIGKILL)
            # Python restores the default actions before it ends, and would then die of a late signal.
            for number in callbacks:
                signal.signal(number, signal.SIG_IGN)
            self._control.close()
        _log.info("the fleet has stopped")

    def status(self, names: Sequence[str]) -> dict[str, Any]:
        """State of all jobs or some, of the master and of the web child; see `commands`.

        Raises:
            UnknownJob: no job has such a name.
        """
        now = self._loop.now()
        web = self._web.job
        address = web.tally.labels.get("address") if web.pid else None
        web_error = web.last_error[0] if web.last_error and not address else ""
        chosen, has_log = self._roster.select("show", names), self._settings.stream is None
        return {
            "jobs": [
                job_status(job, now, has_log=has_log, kept=job.name in self._kept)
                for job in (runner.job for runner in chosen)
            ],
            "master": {"pid": os.getpid(), "uptime": round(now - self._begun, 3), "version": VERSION},
            "web": address,
            "web_error": web_error,
            "watchers": self._watchers.faults(),
            "left": self._reload.left.lines(),
        }

    def metrics(self) -> dict[str, Any]:
        """Numbers of all jobs and of the fleet; see `commands`."""
        now = self._loop.now()
        jobs = [runner.job for runner in self._roster.by_name()]
        return {
            "metrics": described(jobs),
            "jobs": [job_metrics(job, now) for job in jobs],
            "version": VERSION,
            "reloads": asdict(self._reload.reloads),
            "web_restarts": self._web.job.restarts.total(),
        }

    def reload(self, names: Sequence[str], dry_run: bool) -> dict[str, Any]:
        """Read the files again; see `commands`. Returns what changes.

        Raises:
            Stopping: the fleet is stopping.
            UnknownJob: no job has such a name.
            ConfigError: no file is sound; what runs is untouched.
        """
        self._refuse_while_stopping("reload")
        if names:
            return self._reload.jobs(names, dry_run=dry_run)
        return self._reload.fleet(dry_run=dry_run)

    def ask(self, verb: Verb, names: Sequence[str], keep: bool = False) -> dict[str, Any]:
        """Do to jobs what a verb says. Returns which of them change, which do not, and which refuse.

        Args:
            verb: what to do.
            names: to which jobs.
            keep: do it after a restart of the fleet, too.

        Raises:
            Stopping: the fleet is stopping.
            UnknownJob: no job has such a name.
            NotAllowed: all of them refuse.
            TdsupError: it cannot be remembered; no job was touched.
        """
        self._refuse_while_stopping(verb.command)
        answer: dict[str, list[Any]] = {"changed": [], "unchanged": [], "refused": []}
        chosen = self._roster.select(verb.command, names)
        if keep:
            self._kept.add([runner.job.name for runner in chosen])
        elif verb.ends_keep:
            self._kept.remove([runner.job.name for runner in chosen])
        for runner in chosen:
            job = runner.job
            try:
                changed = verb.apply(job, self._loop.now())
            except NotAllowed as error:
                answer["refused"].append({"job": job.name, "error": str(error)})
                continue
            answer["changed" if changed else "unchanged"].append(job.name)
            runner.step()
        if answer["refused"] and not (answer["changed"] or answer["unchanged"]):
            raise NotAllowed("\n".join(refusal["error"] for refusal in answer["refused"]))
        return answer

    def rotate(self, names: Sequence[str]) -> dict[str, Any]:
        """Begin new log files; see `commands`. Returns whose logs they are.

        Raises:
            UnknownJob: no job has such a name.
        """
        chosen, rotated = self._roster.select("rotate the log of", names), []
        if not names:
            logs.rotate()
            rotated, chosen = ["tdsup"], [*chosen, *self._watchers, self._web]
        rotated += [runner.job.name for runner in chosen if runner.send(signal.SIGUSR1)]
        return {"rotated": rotated}

    def retired(self, names: Sequence[str]) -> dict[str, Any]:
        """Take note that jobs have left nothing behind, whether they are still there or not."""
        for name in names:
            self._reload.left.forget(name)
            self._chronicle.forget(name)
            if runner := self._roster.find(name):
                runner.job.ran = None
        return {}

    def stop(self) -> dict[str, Any]:
        """Begin to stop all jobs, in parallel; see `commands`."""
        self._stopping = True
        self._manager.stopping()
        self._reload.end()
        for runner in self._all():
            runner.job.stop(self._loop.now())
            runner.step()
        self._end_if_idle()
        return {"stopping": [runner.job.name for runner in self._roster.by_name() if runner.job.pid]}

    def _all(self) -> list[Runner]:
        """All runners, in the order in which they are stopped."""
        return [*reversed(list(self._roster)), *self._watchers, self._web]

    def _refuse_while_stopping(self, verb: str) -> None:
        if self._stopping:
            raise Stopping(f"cannot {verb}: the fleet is stopping")

    def _changed(self, runner: Runner) -> None:
        """A job's state has changed."""
        job = runner.job
        if self._roster.holds(runner):
            self._chronicle.note(job.name, job.state.value, job.reason, job.pid)
        if job.removed and self._roster.holds(runner):
            _log.info("%s: removed", job.name)
            self._roster.forget(runner)
        self._watchers.changed(runner)
        self._end_if_idle()

    def _end_if_idle(self) -> None:
        # In no order: each process that ends asks.
        runners = chain(self._roster.unsorted(), self._watchers, (self._web,))
        if self._stopping and all(runner.job.pid is None for runner in runners):
            self._loop.stop()

    def _stop_by_signal(self) -> None:
        if not self._stopping:
            _log.info("asked to stop by a signal")
            self.stop()
