"""An order that a job has still to carry out."""

from __future__ import annotations

from tdsup.jobtype import Condition, Order

OUTCOMES = {
    Order.PAUSE: frozenset({Condition.PAUSED}),
    # A worker that cannot reach its target cannot have looked whether it is paused.
    Order.RESUME: frozenset({Condition.RUNNING, Condition.STANDBY}),
}
"""The conditions by which a worker shows that it has obeyed."""


class StandingOrder:
    """The order that stands until a process reports its outcome; each process of the job gets it once.

    One whose outcome is written nowhere stands on, for the processes to come.

    Attributes:
        order: what was asked for; None while nothing is.
        due: whether the present process has still to get it.
    """

    def __init__(self) -> None:
        self.order: Order | None = None
        self.due = False
        self._is_obeyed = False

    def stand(self, order: Order | None) -> None:
        """Ask for this from now on, whatever was asked for before; None asks for nothing."""
        self.order = order
        self.forked()

    def given(self) -> None:
        """The present process has it, or cannot take it any more."""
        self.due = False

    def forked(self) -> None:
        """There is a new process, which knows of no order."""
        self.due, self._is_obeyed = self.order is not None, False

    def reported(self, condition: Condition, *, unwritten: bool = False) -> None:
        """A worker told its condition. What it says before it has the order is no answer to it."""
        if self.order is not None and not self.due and condition in OUTCOMES[self.order]:
            self._is_obeyed = True
            if not unwritten:
                self.order = None

    def explain(self, reason: str) -> str:
        """A reason, and what is still to be done."""
        asked = "" if self.order is None or self._is_obeyed else f"asked to {self.order}"
        return "; ".join(filter(None, (reason, asked)))
