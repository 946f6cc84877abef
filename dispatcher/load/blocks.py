"""The block path: blocks of events are folded at once, and merged by a second thread.

Each table has a `Lane` of its own. The row path takes events that do not fit: in the order of events where
order matters, else after all others.
"""

from __future__ import annotations

from enum import Enum, auto

from ..events import Act, Operation
from ..partitions import Missing
from ..postgres import copytext
from .destination import Destination, event_of
from .destinations import Destinations
from .lane import Lane
from .merging import COMING, GOING, Merging, Rounds, Step, rounds_of
from .outcome import Outcome
from .passes import End, PassFailed
from .rows import RowLoader

MAX_LEFT_OVER = 1000
"""Most events of a batch that are left to the row path; with more of them it takes the whole batch."""

MAX_ODD = 100
"""Events that are left to the row path, from which on they must not be more than others."""

MAX_NAMES = 4096
"""Most names of tables that are remembered in a pass: whoever writes events names them as he likes."""

ASKED = {Act.DELETE: Operation.DELETE, Act.MARK: Operation.DELETE, Act.LEAVE: Operation.UPDATE}
"""Acts whose events are ignored if there is no row, and what these events ask for."""


class _Fate(Enum):
    """What becomes of events of a table that has no lane."""

    LEFT_OUT = auto()
    """Nothing, or its lane is to be made before the next pass."""
    ODD = auto()
    """The row path sees."""


class BlockLoader:
    """Folds blocks of events and hands what they come to to a `Merging`.

    Args:
        merging: writes the rows.
        destinations: where events go.
        outcome: counted up.
        missing: added to. With anything in it, the rest of the events is only looked through.
        rows: takes odd events in their order, as lines come in the order of events; None: they come in any.

    Attributes:
        merging, outcome, missing: as given.
        ordered: there is a `rows`.
        left_over: without `rows`, ``ev_id`` of events that are left to the row path.
    """

    def __init__(
        self,
        merging: Merging,
        destinations: Destinations,
        outcome: Outcome,
        missing: Missing,
        rows: RowLoader | None = None,
    ) -> None:
        self.merging = merging
        self.outcome = outcome
        self.missing = missing
        self.ordered = rows is not None
        self.left_over: list[int] = []
        self._destinations = destinations
        self._rows = rows
        self._odd = 0
        self._odd_needs_order = False
        self._limit = destinations.settings.buffer_size // 7
        self._lanes: dict[Destination, Lane] = {}
        self._by_name: dict[bytes, Lane | _Fate] = {}
        self._only = self._lane(destinations.only) if destinations.only else None

    @property
    def needs_order(self) -> bool:
        """Whether there were events whose order matters."""
        return self._odd_needs_order or any(lane.needs_order for lane in self._lanes.values())

    def add(self, block: bytes) -> None:
        """Take whole lines, as `Queue.stream` hands them over.

        Raises:
            PassFailed: the block path cannot load these events, or the target has refused a row.
            BatchError, SetupError: no row can be loaded until a person does something.
            psycopg2.Error: the target refused, but not because of a row.
        """
        if self._only is not None:
            self._only.add(block)
        else:
            for lane, lines in self._split(block):
                if isinstance(lane, Lane):
                    lane.add(lines[0] if len(lines) == 1 else b"".join(lines))
                elif lane is _Fate.LEFT_OUT:
                    self.outcome.passed_over += len(lines)
                else:
                    for line in lines:
                        self.leave(line, only_adds=True)
        if self._is_worth_merging:
            self.merging.start(self._rounds())

    def finish(self) -> None:
        """Load what is left; raises as `add` does."""
        self.merging.run(self._rounds())
        for act, operation in ASKED.items():
            self.outcome.count_absent(operation, self.merging.absent[act])
        for lane in self._lanes.values():
            lane.end()

    # Several tables.

    def _split(self, block: bytes) -> list[tuple[Lane | _Fate, list[bytes]]]:
        """The lines of a block by where they go, each group in order; of tied tables, in their order.

        A merge must not find a row that refers to another one before that is there, nor one that does so anew
        before what is deleted with the other one.
        """
        number = len(self._destinations.leading) + 2
        groups: list[tuple[Lane | _Fate, list[bytes]]] = []
        open_: dict[Lane | _Fate, list[bytes]] = {}
        tied: Lane | _Fate | None = None
        for line in block.splitlines(keepends=True):
            name = line.split(b"\t", number + 1)[number]
            # Several tables of the source may have one lane, and a row may move between them.
            lane = self._by_name.get(name) or self._lane_of(name)
            lines = open_.get(lane)
            if lines is None:
                lines = open_[lane] = []
                groups.append((lane, lines))
                if isinstance(lane, Lane) and lane.destination.is_bound:
                    # The next line of the tied table before this one begins a new group.
                    if tied is not None:
                        open_.pop(tied, None)
                    tied = lane
            lines.append(line)
        return groups

    def _lane_of(self, name: bytes) -> Lane | _Fate:
        """The lane of a table, as its name ends or stands in a line."""
        if len(self._by_name) >= MAX_NAMES:
            self._by_name.clear()
        encoding = self._destinations.encoding
        text = encoding.utf8_or_raw(copytext.unescape(name.removesuffix(b"\n")) or b"")
        self.merging.wait()
        try:
            found = self._destinations.find(text, self.missing)
        except ValueError:
            # The row path says why.
            self._by_name[name] = _Fate.ODD
        else:
            self._by_name[name] = _Fate.LEFT_OUT if found is None else self._lane(found)
        return self._by_name[name]

    def _lane(self, destination: Destination) -> Lane:
        if destination not in self._lanes:
            self._lanes[destination] = Lane(destination, self)
        return self._lanes[destination]

    # Odd events.

    def leave(self, line: bytes, *, only_adds: bool) -> None:
        """Leave an event to the row path.

        Args:
            line: the event.
            only_adds: its order does not matter.
        """
        self._odd += 1
        if self._rows is None:
            self.left_over.append(int(line[: line.index(b"\t")]))
            is_too_odd = self._odd > MAX_LEFT_OVER
        else:
            self.empty()
            self.merging.wait()
            found = event_of(line, self._destinations.encoding, self._destinations.leading)
            self._rows.take(found, len(line))
            self._odd_needs_order = self._odd_needs_order or not only_adds
            taken = sum(lane.taken for lane in self._lanes.values())
            is_too_odd = self._odd > MAX_ODD and self._odd > taken
        if is_too_odd:
            raise PassFailed(End.NOT_PLAIN)

    # Merging.

    @property
    def _is_worth_merging(self) -> bool:
        """Whether to merge what the folds hold, though more may come."""
        lanes = self._lanes.values()
        size = sum(lane.size for lane in lanes)
        if not size or size >= self._limit:
            return bool(size)
        return self.merging.is_idle and size >= sum(lane.worth for lane in lanes)

    def empty(self) -> None:
        """Merge what the folds hold, at once: something else has to follow it."""
        if not all(lane.is_empty for lane in self._lanes.values()):
            self.merging.run(self._rounds())

    def _rounds(self) -> Rounds:
        """What is to be done next; raises as `add` does."""
        self.merging.wait()
        if self._rows is not None:
            self._rows.flush()
        tied = [self._lanes[each] for each in self._destinations.parents_first if each in self._lanes]
        rounds: list[list[Step]] = []
        for lane in self._lanes.values():
            if lane not in tied:
                rounds += rounds_of(lane.steps(), lane.order)
        steps = [lane.steps() for lane in tied]
        for its_steps in steps:
            rounds += rounds_of(its_steps, COMING)
        for its_steps in reversed(steps):
            rounds += rounds_of(its_steps, GOING)
        return rounds
