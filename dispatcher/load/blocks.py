"""The block path: blocks of events are folded at once, and merged by a second thread.

The row path takes events that do not fit: in the order of events where order matters, else after all others.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import NamedTuple

from ..events import Act, Fold, Group, Operation, Stop
from ..partitions import Missing
from ..route import Handling
from ..write import Writer
from .destination import Destination
from .known import Way
from .learning import Learner
from .merging import ORDER, PARENTS_FIRST, Merging, Step
from .outcome import Outcome
from .passes import End, PassFailed
from .rows import LARGE, RowLoader

MAX_LEFT_OVER = 1000
"""Most events of a batch that are left to the row path; with more of them it takes the whole batch."""

WORTH_ADDING = 1 << 17
"""Bytes for each partition that are worth a COPY, which costs some 0.2 ms, while more may come."""

WORTH_MERGING = 1 << 19
"""The same of rows that change others, which takes some statements more."""

MAX_ODD = 100
"""Events that are left to the row path, from which on they must not be more than others."""

WRITING = {Act.INSERT, Act.REPLACE, Act.PATCH}
"""Acts that write values."""


class _Rows(NamedTuple):
    """Rows of a group: its number and size, and how they are written."""

    number: int
    size: int
    way: Way


class BlockLoader:
    """Folds blocks of events and hands what they come to to a `Merging`.

    Args:
        merging: writes the rows.
        destination: where events go.
        outcome: counted up.
        missing: added to. With anything in it, the rest of the events is only looked through.
        rows: takes odd events in their order, as lines come in the order of events; None: they come in any.

    Attributes:
        left_over: without `rows`, ``ev_id`` of events that are left to the row path.
        needs_order: there were events whose order matters.
    """

    def __init__(
        self,
        merging: Merging,
        destination: Destination,
        outcome: Outcome,
        missing: Missing,
        rows: RowLoader | None = None,
    ) -> None:
        self._merging = merging
        self._destination = destination
        self._known = destination.known
        self._learner = Learner(destination, missing, ordered=rows is not None)
        self._outcome = outcome
        self._missing = missing
        self._rows = rows
        self._odd = self._taken = 0
        self._limit = destination.settings.buffer_size // 7
        self.left_over: list[int] = []
        self.needs_order = False
        self._renew()

    def add(self, block: bytes) -> None:
        """Take whole lines, as `Queue.stream` hands them over.

        Raises:
            PassFailed: the block path cannot load these events, or the target has refused a row.
            BatchError, SetupError: no row can be loaded until a person does something.
            psycopg2.Error: the target refused, but not because of a row.
        """
        if len(block) < LARGE:
            self._fold_lines(block)
        else:
            self._take_apart(block)
        if self._is_worth_merging:
            self._merging.start(*self._steps())

    def finish(self) -> None:
        """Load what is left; raises as `add` does."""
        self._merging.run(*self._steps())
        if absent := self._merging.absent:
            self._outcome.rows -= absent
            self._outcome.ignored[Operation.DELETE] += absent
        if self._learner.is_passing:
            # By the next batch the table may have what it lacks.
            self._known.clear()

    # Folding.

    def _fold_lines(self, block: bytes) -> None:
        at = 0
        while at < len(block):
            start, (at, why) = at, self._fold.add(block, at)
            if at > start:
                self._count()
            if why == Stop.BAD:
                raise PassFailed(End.REFUSED)
            if why == Stop.FULL and not self._is_empty:
                self._empty()
            elif why != Stop.ALL:
                at = self._look_closer(block, at)

    def _look_closer(self, block: bytes, at: int) -> int:
        """See why the fold stopped at a line; returns where it goes on."""
        end = block.index(b"\n", at) + 1
        line = block[at:end]
        self._merging.wait()
        lesson = self._learner.learn(line)
        if lesson is None:
            self._leave(line)
            return end
        if lesson.more:
            self._empty()
            self._renew()
        elif lesson.day is not None:
            self._fold.allow(lesson.day)
        return at

    def _take_apart(self, block: bytes) -> None:
        """Fold a block with large events. These are left to the row path, which notes them for the log."""
        for line in block.splitlines(keepends=True):
            if len(line) < LARGE:
                self._fold_lines(line)
            elif self._rows is None and not self._learner.only_adds(line):
                raise PassFailed(End.NOT_PLAIN)
            else:
                self._leave(line)

    def _renew(self) -> None:
        """Go on with a fold that knows what is known now."""
        ordered = self._rows is not None
        description, self._kinds = self._known.described(
            self._destination.settings, self._destination.first_field, ordered=ordered
        )
        self._fold = Fold(description)
        self._is_empty = True
        for day in self._known.days:
            self._fold.allow(day)

    def _count(self) -> None:
        self._is_empty = False
        for kind, taken, ignored in zip(self._kinds, *self._fold.counts(), strict=True):
            if not taken:
                continue
            if kind.is_passed_over:
                self._outcome.passed_over += taken
                continue
            self.needs_order = self.needs_order or kind.handling is Handling.CHANGE
            is_row = kind.handling is not Handling.IGNORE
            self._outcome.events[kind.operation] += taken
            self._outcome.ignored[kind.operation] += ignored if is_row else taken
            if is_row:
                self._outcome.rows += taken - ignored
                self._destination.saw(kind.table)
            self._taken += taken

    def _leave(self, line: bytes) -> None:
        """Leave an event to the row path."""
        self._odd += 1
        if self._rows is None:
            self.left_over.append(int(line[: line.index(b"\t")]))
            is_too_odd = self._odd > MAX_LEFT_OVER
        else:
            self._empty()
            self._merging.wait()
            self._rows.take(self._destination.event(line), len(line))
            self.needs_order = self.needs_order or not self._learner.only_adds(line)
            is_too_odd = self._odd > MAX_ODD and self._odd > self._taken
        if is_too_odd:
            raise PassFailed(End.NOT_PLAIN)

    # Merging.

    @property
    def _is_worth_merging(self) -> bool:
        """Whether to merge what the fold holds, though more may come."""
        if self._is_empty or self._fold.size >= self._limit:
            return not self._is_empty
        worth = WORTH_MERGING if self._known.key else WORTH_ADDING
        return self._merging.is_idle and self._fold.size >= worth * max(1, len(self._known.days))

    def _empty(self) -> None:
        """Merge what the fold holds, at once: something else has to follow it."""
        if not self._is_empty:
            self._merging.run(*self._steps())

    def _steps(self) -> tuple[list[Step], Sequence[Act]]:
        """What is to be done next, and in which order; raises as `add` does."""
        self._merging.wait()
        if self._rows is not None:
            self._rows.flush()
        found: dict[tuple[Act, Hashable], dict[Writer, list[_Rows]]] = {}
        for number, group in enumerate(map(Group._make, self._fold.groups())):
            way = self._learner.way(group)
            if way is not None and not self._missing:
                writers = found.setdefault((group.act, way.writer.filled), {})
                writers.setdefault(way.writer, []).append(_Rows(number, group.size, way))
        steps = [self._step(Act(act), writers) for (act, _filled), writers in found.items()]
        self._fold.clear()
        self._is_empty = True
        return steps, PARENTS_FIRST if self._known.refers_to_itself else ORDER

    def _step(self, act: Act, writers: dict[Writer, list[_Rows]]) -> Step:
        """What does the same to the rows of some writers; PassFailed if the row path has to see them."""
        step = Step(act, {}, [])
        for part, (writer, rows) in enumerate(writers.items()):
            prefix = b"%d\t" % part if len(writers) > 1 else b""
            step.counts[writer.of_part(part) if prefix else writer] = sum(each.size for each in rows)
            for each in rows:
                text = self._fold.text(each.number, each.way.picked, prefix)
                if act in WRITING and each.way.plan.may_be_doubtful(text):
                    raise PassFailed(End.NOT_PLAIN)
                step.texts.append(text)
        return step
