"""The block path of one table: its events are folded, and what they come to is told in steps."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import NamedTuple, Protocol

from ..events import Act, Fold, Group, Stop
from ..partitions import Branch, Missing
from ..postgres import copytext
from ..route import Handling
from ..write import Writer
from .destination import Destination
from .known import Way
from .learning import Learner
from .merging import ORDER, PARENTS_FIRST, Merging, Step
from .outcome import Outcome
from .passes import End, PassFailed
from .rows import LARGE

WORTH_ADDING = 1 << 17
"""Bytes for each partition that are worth a COPY, which costs some 0.2 ms, while more may come."""

WORTH_MERGING = 1 << 19
"""The same of rows that change others, which takes some statements more."""

WRITING = {Act.INSERT, Act.REPLACE, Act.PATCH}
"""Acts that write values."""


ADDING = {Act.INSERT, Act.REPLACE}
"""Acts that may add rows."""


class _Rows(NamedTuple):
    """Rows of a group: its number, how many they are, how they are written, and which of its rows.

    Attributes:
        lines: numbers of the rows; None: all are meant.
    """

    number: int
    size: int
    way: Way
    lines: Sequence[int] | None


_Part = tuple[Branch | None, Sequence[int] | None]
"""Rows of a group: the branch that they are in, or None for any; and which these are, or None for all."""


class Shared(Protocol):
    """What the lanes of a pass share.

    Attributes:
        merging: writes rows.
        outcome: counted up.
        missing: added to.
        ordered: lines come in the order of events.
    """

    merging: Merging
    outcome: Outcome
    missing: Missing
    ordered: bool

    def leave(self, line: bytes, *, only_adds: bool) -> None:
        """Leave an event to the row path."""

    def empty(self) -> None:
        """Merge what all lanes hold, at once."""


class Lane:
    """Folds the events of one table.

    Args:
        destination: the table.
        shared: with other lanes.

    Attributes:
        destination: as given.
        is_empty: it holds nothing.
        needs_order: there were events whose order matters.
        taken: how many lines were folded.
    """

    def __init__(self, destination: Destination, shared: Shared) -> None:
        self.destination = destination
        self._shared = shared
        self._known = destination.known
        if self._known.is_crowded:
            self._known.clear()
        self._learner = Learner(destination, shared.missing, ordered=shared.ordered)
        self.needs_order = False
        self.taken = 0
        self._spread = 1
        self._texts: dict[tuple[int, tuple[int, ...], bytes], list[bytes]] = {}
        self._renew()

    def add(self, block: bytes) -> None:
        """Take whole lines of the table's events; raises as `BlockLoader.add` does."""
        if len(block) < LARGE:
            self._fold_lines(block)
        else:
            self._take_apart(block)

    def end(self) -> None:
        """There are no more events."""
        if self._learner.is_passing:
            # By the next batch the table may have what it lacks.
            self._known.clear()

    # Folding.

    def _fold_lines(self, block: bytes) -> None:
        at = 0
        while at < len(block):
            start, (at, why) = at, self._fold.add(block, at)
            if at > start:
                self.is_empty = False
            if why == Stop.BAD:
                raise PassFailed(End.REFUSED)
            if why == Stop.FULL and not self.is_empty:
                self._shared.empty()
            elif why != Stop.ALL:
                at = self._look_closer(block, at)

    def _look_closer(self, block: bytes, at: int) -> int:
        """See why the fold stopped at a line; returns where it goes on."""
        end = block.index(b"\n", at) + 1
        line = block[at:end]
        self._shared.merging.wait()
        lesson = self._learner.learn(line)
        if lesson is None:
            self._leave(line)
            return end
        if lesson.more:
            if not self.is_empty:
                self._shared.empty()
            self._renew()
        elif lesson.times is not None:
            self._fold.allow(*lesson.times, *self._known.stretches[lesson.times])
        return at

    def _take_apart(self, block: bytes) -> None:
        """Fold a block with large events. These are left to the row path, which notes them for the log."""
        for line in block.splitlines(keepends=True):
            if len(line) < LARGE:
                self._fold_lines(line)
            elif not (self._shared.ordered or self._learner.only_adds(line)):
                raise PassFailed(End.NOT_PLAIN)
            else:
                self._leave(line)

    def _leave(self, line: bytes) -> None:
        self._shared.leave(line, only_adds=not self._shared.ordered or self._learner.only_adds(line))

    def _renew(self) -> None:
        """Go on with a fold that knows what is known now."""
        description, self._kinds = self._known.described(
            self.destination.settings,
            self.destination.leading,
            ordered=self._shared.ordered,
            sieve=self.destination.sieve,
        )
        self._fold = Fold(description)
        self.is_empty = True
        for times, admitted in self._known.stretches.items():
            self._fold.allow(*times, *admitted)

    def _count(self) -> None:
        """Count the lines that the fold has taken since the last time."""
        outcome = self._shared.outcome
        for kind, taken, ignored in zip(self._kinds, *self._fold.counts(), strict=True):
            if not taken:
                continue
            if kind.is_passed_over:
                outcome.passed_over += taken
                continue
            self.needs_order = self.needs_order or kind.handling is Handling.CHANGE
            is_row = kind.handling is not Handling.IGNORE
            outcome.events[kind.operation] += taken
            outcome.ignored[kind.operation] += ignored if is_row else taken
            if is_row:
                outcome.rows += taken - ignored
                self.destination.saw(kind.table)
            self.taken += taken

    # Merging.

    @property
    def size(self) -> int:
        """Bytes held, about."""
        return 0 if self.is_empty else self._fold.size

    @property
    def worth(self) -> int:
        """Bytes that are worth a merge while more may come."""
        if self.is_empty:
            return 0
        worth = WORTH_MERGING if self._known.key else WORTH_ADDING
        return worth * max(1, len(self._known.periods)) * self._spread

    @property
    def order(self) -> Sequence[Act]:
        """The order in which its acts are done."""
        return PARENTS_FIRST if self._known.refers_to_itself or self.destination.is_bound else ORDER

    def steps(self) -> list[Step]:
        """What is to be done with what it holds, which it holds no longer; raises as `add` does."""
        if self.is_empty:
            return []
        self._count()
        found: dict[tuple[Act, Hashable], dict[Writer, list[_Rows]]] = {}
        for number, group in enumerate(map(Group._make, self._fold.groups())):
            parts = _branches(self.destination, self._fold, number, group)
            self._spread = max(self._spread, len(parts))
            for branch, lines in parts:
                way = self._learner.way(group, branch)
                if way is not None and not self._shared.missing:
                    size = group.size if lines is None else len(lines)
                    period = self._learner.period(group, branch) if group.period else None
                    if group.act in ADDING and self.destination.is_late(period):
                        self._shared.outcome.late += size
                    writers = found.setdefault((group.act, way.writer.filled), {})
                    writers.setdefault(way.writer, []).append(_Rows(number, size, way, lines))
        steps = [self._step(Act(act), writers) for (act, _filled), writers in found.items()]
        self._fold.clear()
        self._texts.clear()
        self.is_empty = True
        return steps

    def _step(self, act: Act, writers: dict[Writer, list[_Rows]]) -> Step:
        """What does the same to the rows of some writers; PassFailed if the row path has to see them."""
        step = Step(act, {}, [])
        for part, (writer, rows) in enumerate(writers.items()):
            number = b"%d\t" % part if len(writers) > 1 else b""
            step.counts[writer.of_part(part) if number else writer] = sum(each.size for each in rows)
            for each in rows:
                text = self._text(each, number)
                if act in WRITING and each.way.plan.may_be_doubtful(text):
                    raise PassFailed(End.NOT_PLAIN)
                step.texts.append(text)
        return step

    def _text(self, rows: _Rows, part: bytes) -> bytes:
        """Rows as COPY text, each after the number of a part."""
        prefix = rows.way.prefix
        if rows.lines is None:
            return self._fold.text(rows.number, rows.way.picked, part + prefix)
        known = rows.number, rows.way.picked, prefix
        if known not in self._texts:
            self._texts[known] = self._fold.text(*known).splitlines(keepends=True)
        lines = self._texts[known]
        return b"".join([part + lines[at] for at in rows.lines])


def _branches(destination: Destination, fold: Fold, number: int, group: Group) -> Sequence[_Part]:
    """The rows of a group by their branches.

    Raises:
        PassFailed: a row has no branch.
    """
    sources = destination.settings.list_sources
    if not sources or group.act not in ADDING:
        return ((None, None),)
    names = destination.known.names
    columns = tuple(names.index(source) for source in sources if source in names)
    if len(columns) < len(sources) or not set(columns) <= set(group.columns):
        raise PassFailed(End.NOT_PLAIN)
    by_text: dict[bytes, list[int]] = {}
    for at, text in enumerate(fold.text(number, columns).splitlines()):
        by_text.setdefault(text, []).append(at)
    found: dict[Branch, list[int]] = {}
    try:
        for text, lines in by_text.items():
            found.setdefault(destination.branch(copytext.split(text)), []).extend(lines)
    except ValueError:
        # The row path says why.
        raise PassFailed(End.NOT_PLAIN) from None
    if len(found) == 1:
        return [(next(iter(found)), None)]
    return [(branch, sorted(lines)) for branch, lines in found.items()]
