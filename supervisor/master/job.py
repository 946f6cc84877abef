"""One job, steered by people and its file; `Lifecycle` holds what follows from its processes."""

from __future__ import annotations

from ..config import BrokenConfig, JobConfig
from ..errors import NotAllowed
from .lifecycle import Lifecycle
from .state import AfterExit, State


class Job(Lifecycle):
    """The state machine of one job: the life cycle of its processes, and what people can ask of it.

    Each thing that can be asked says whether that changes anything.
    """

    @property
    def wanted_file(self) -> JobConfig | BrokenConfig | None:
        """What will run once a process that is ending has ended; None for a job that is being removed."""
        return None if self._is_leaving else self._next_file

    @property
    def is_paused(self) -> bool:
        """Whether it is held, or will be once its process has ended."""
        return self.state is State.PAUSED or self._becomes(AfterExit.PAUSED)

    def load(self, file: JobConfig | BrokenConfig | None, now: float, *, asked: bool) -> None:
        """Run this file from now on: the present process ends first, a job without one starts at once.

        A paused job takes the file and stays paused.

        Args:
            file: what to run.
            now: the present moment.
            asked: somebody asked for this very job, so ``autostart = 0`` does not count.
        """
        self._backoff.reset()
        self._next_file = file
        self.removed = False
        if self.is_paused:
            self.file = file if self.pid is None else self.file
        elif self.pid is None:
            self._take_file(file, now, asked=asked)
        else:
            self._cause = "reload"
            self._end(AfterExit.START, "reloading", now)

    def start(self, now: float) -> bool:
        """Run, and at once if it was waiting; returns whether that changes anything.

        Raises:
            NotAllowed: it is paused, or its file does not let it run.
        """
        self._refuse_paused("start")
        self._refuse_file("start")
        if self.state is State.STOPPING:
            changes, self._after_exit = self._after_exit is not AfterExit.START, AfterExit.START
            return changes
        if self.pid is not None or self.state is State.STARTING:
            return False
        self._backoff.reset()
        self._take_file(self._next_file, now, asked=True)
        return True

    def restart(self, now: float) -> bool:
        """Run with a new process; returns True, as that always changes something.

        Raises:
            NotAllowed: it is paused, or its file does not let it run.
        """
        self._refuse_paused("restart")
        self._refuse_file("restart")
        if self.pid is None:
            self.start(now)
        else:
            self._backoff.reset()
            self._cause = "restart"
            self._end(AfterExit.START, "restarting", now)
        return True

    def stop(self, now: float) -> bool:
        """Run nothing until told otherwise; returns whether that changes anything."""
        if self.is_paused:
            return False
        return self._halt(AfterExit.STOPPED, State.STOPPED, "asked to stop", now)

    def pause(self, now: float) -> bool:
        """Run nothing until `resume`, even if the file changes; returns whether that changes anything."""
        return self._halt(AfterExit.PAUSED, State.PAUSED, "asked to pause", now)

    def resume(self, now: float) -> bool:
        """Run again if it is paused; returns whether that changes anything.

        Raises:
            NotAllowed: its file does not let it run.
        """
        if not self.is_paused:
            return False
        self._refuse_file("resume")
        self._backoff.reset()
        if self.pid is None:
            self._take_file(self._next_file, now, asked=True)
        else:
            self._after_exit = AfterExit.START
        return True

    def remove(self, now: float) -> None:
        """Stop, then be forgotten."""
        if self.pid is None:
            self.removed = True
            self._assign(State.STOPPED, "no file describes it any more", now)
        else:
            self._end(AfterExit.REMOVED, "no file describes it any more", now)

    def complain(self, error: str, now: float) -> None:
        """Keep an error that changes nothing about what runs."""
        self.last_error = error, now

    @property
    def _is_leaving(self) -> bool:
        return self._becomes(AfterExit.REMOVED)

    def _becomes(self, after_exit: AfterExit) -> bool:
        """Whether its process has been asked to end, and this comes after."""
        return self.state is State.STOPPING and self._after_exit is after_exit

    def _halt(self, after_exit: AfterExit, state: State, reason: str, now: float) -> bool:
        """Come to rest in a state, at once without a process."""
        if self.state is state or self._becomes(after_exit) or self._is_leaving:
            return False
        self._cause = ""
        if self.pid is None:
            self._assign(state, reason, now)
        else:
            self._end(after_exit, reason, now)
        return True

    def _refuse_paused(self, verb: str) -> None:
        if self.is_paused:
            raise NotAllowed(f"cannot {verb} {self.name}: it is paused; resume lets it go on")

    def _refuse_file(self, verb: str) -> None:
        file = self._next_file
        if self._is_leaving:
            raise NotAllowed(f"cannot {verb} {self.name}: {self.reason}")
        if isinstance(file, BrokenConfig):
            raise NotAllowed(f"cannot {verb} {self.name}: {file.error.summary()}")
        if file is not None and file.host.disabled:
            raise NotAllowed(f"cannot {verb} {self.name}: [{file.section}] disabled is 1 in {file.path}")
