"""One job, steered by people and its file; `Lifecycle` holds what follows from its processes."""

from __future__ import annotations

from tdsup.jobtype import Order

from ..config import BrokenConfig, JobConfig
from ..errors import NotAllowed
from .lifecycle import Lifecycle, obeys_orders
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
        """Whether it is held, or will be once its process has ended or has obeyed."""
        if self.standing.order is not None:
            return self.standing.order is Order.PAUSE
        return self.state is State.PAUSED or self._becomes(AfterExit.PAUSED)

    def load(self, file: JobConfig | BrokenConfig | None, now: float, *, asked: bool) -> None:
        """Run this file from now on: the present process ends first, a job without one starts at once.

        A paused job takes the file and stays paused; with a process, if jobs of that type obey orders.

        Args:
            file: what to run.
            now: the present moment.
            asked: somebody asked for this very job, so ``autostart = 0`` does not count.
        """
        self._backoff.reset()
        held = self.is_paused
        self._next_file = file
        self.removed = False
        if held and not obeys_orders(file):
            self.file = file if self.pid is None else self.file
            self._hold(now)
            return
        if held and (self.pid is None or self._becomes(AfterExit.PAUSED)):
            # No process has told other hosts yet.
            self.standing.stand(Order.PAUSE)
        if self.pid is None:
            self._take_file(file, now, asked=asked or held)
        else:
            self._cause = "reload"
            self._end(AfterExit.START, "reloading", now)

    def start(self, now: float) -> bool:
        """Run, and at once if it was waiting; returns whether that changes anything.

        Raises:
            NotAllowed: it is paused, or its file does not let it run.
        """
        _refuse_paused(self, "start")
        _refuse_file(self, "start")
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
        _refuse_paused(self, "restart")
        _refuse_file(self, "restart")
        if self.pid is None:
            self.start(now)
        else:
            self._backoff.reset()
            self._cause = "restart"
            self._end(AfterExit.START, "restarting", now)
        return True

    def stop(self, now: float) -> bool:
        """Run nothing until told otherwise; returns whether that changes anything."""
        rests = self.pid is None and self.state in {State.STOPPED, State.PAUSED}
        if rests or any(map(self._becomes, (AfterExit.STOPPED, AfterExit.PAUSED, AfterExit.REMOVED))):
            return False
        self._cause = ""
        if self.pid is None:
            self._assign(State.STOPPED, "asked to stop", now)
        else:
            self._end(AfterExit.STOPPED, "asked to stop", now)
        return True

    def pause(self, now: float) -> bool:
        """Do nothing until `resume`, even if the file changes; returns whether that changes anything.

        A job whose type obeys orders keeps its process, or gets one, and is told to pause.
        """
        if self.is_paused or self._is_leaving:
            return False
        if not obeys_orders(self._next_file):
            self._cause = ""
            self._hold(now)
            return True
        self._order(Order.PAUSE, now)
        return True

    def resume(self, now: float) -> bool:
        """Run again if it is paused; returns whether that changes anything.

        Raises:
            NotAllowed: its file does not let it run.
        """
        if not self.is_paused:
            return False
        _refuse_file(self, "resume")
        if obeys_orders(self._next_file):
            self._order(Order.RESUME, now)
            return True
        self._backoff.reset()
        if self.pid is None:
            self._take_file(self._next_file, now, asked=True)
        else:
            self._end(AfterExit.START, "resuming", now)
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

    def _order(self, order: Order, now: float) -> None:
        """Have a process obey this: the living one, the next one, or one that starts for it."""
        self.standing.stand(order)
        self._backoff.reset()
        if self.pid is None:
            self._take_file(self._next_file, now, asked=True)
        elif self.state is State.STOPPING:
            self._end(AfterExit.START, self.standing.explain(""), now)
        else:
            self._assign(self.state, self.standing.explain(self.reason), now)

    def _hold(self, now: float) -> None:
        """Be paused without a process."""
        self.standing.stand(None)
        if self.pid is not None:
            self._end(AfterExit.PAUSED, "asked to pause", now)
        elif self.state is not State.PAUSED:
            self._assign(State.PAUSED, "asked to pause", now)


def _refuse_paused(job: Job, verb: str) -> None:
    if job.is_paused:
        raise NotAllowed(f"cannot {verb} {job.name}: it is paused; resume lets it go on")


def _refuse_file(job: Job, verb: str) -> None:
    file = job.wanted_file
    if file is None:
        raise NotAllowed(f"cannot {verb} {job.name}: {job.reason}")
    if isinstance(file, BrokenConfig):
        raise NotAllowed(f"cannot {verb} {job.name}: {file.error.summary()}")
    if file.host.disabled:
        raise NotAllowed(f"cannot {verb} {job.name}: {file.place('disabled')} is 1 in {file.path}")
