"""The block path: blocks of plain inserts are decoded at once and written by a second thread.

The row path takes events that do not fit, in the same transaction. It takes all of a batch that changes rows.
"""

from __future__ import annotations

from dataclasses import replace

from ..events import PASSED_OVER, Event, decode_block
from ..partitions import Missing
from ..write import Insert
from .copythread import CopyThread
from .destination import Destination
from .layout import (
    MAX_LAYOUTS,
    MAX_PLANS,
    MAX_PREFIX,
    MAX_PREFIXES,
    NO_LAYOUT,
    Handling,
    Layout,
    LayoutCache,
    Prefix,
)
from .outcome import Outcome
from .passes import End, PassFailed
from .plan import WritePlan
from .rows import LARGE

MAX_LEFT_OVER = 1000
"""Most events of a batch that are left to the row path; with more of them it takes the whole batch."""


class BlockLoader:
    """Decodes blocks of events and hands their rows to a `CopyThread`.

    Args:
        copies: writes the rows.
        destination: where events go.
        layouts: what is known already.
        outcome: counted up.
        missing: added to. With anything in it, the rest of the events is only looked through.

    Attributes:
        left_over: ``ev_id`` of events that are left to the row path.
    """

    def __init__(
        self,
        copies: CopyThread,
        destination: Destination,
        layouts: LayoutCache,
        outcome: Outcome,
        missing: Missing,
    ) -> None:
        self._copies = copies
        self._destination = destination
        self._classifier = destination.classifier
        self._planner = destination.planner()
        self._layouts = layouts
        self._outcome = outcome
        self._missing = missing
        self._layout = NO_LAYOUT
        self._waiting: set[tuple[tuple[bytes, ...], bytes]] = set()
        self._lacks = False
        self.left_over: list[int] = []

    def add(self, block: bytes) -> None:
        """Take whole lines, as `Queue.stream` hands them over.

        Raises:
            PassFailed: the block path cannot load these events, or the target has refused a row.
            BatchError, SetupError: no row can be loaded until a person does something.
            psycopg2.Error: the target refused, but not because of a row.
        """
        if len(block) < LARGE:
            self._decode(block)
        else:
            self._take_apart(block)

    def finish(self) -> None:
        """Load what is left; raises as `add` does."""
        self._copies.finish()
        if self._lacks:
            # By the next batch the table may have what it lacks.
            self._layouts.clear()

    # Decoding.

    def _decode(self, block: bytes) -> None:
        at = 0
        while at < len(block):
            layout = self._layout
            loaded, ignored = self._layouts.handled(Handling.LOAD), self._layouts.handled(Handling.IGNORE)
            prefixes = tuple(prefix.text for prefix in loaded), tuple(prefix.text for prefix in ignored)
            try:
                end, found, counts = decode_block(
                    block, at, *prefixes, layout.names, layout.picked, layout.day_column
                )
            except Exception as error:
                # Whatever it stumbles over, the row path finds the event.
                raise PassFailed(End.NOT_PLAIN) from error
            for prefix, count in zip((*loaded, *ignored), counts, strict=True):
                self._count(prefix, count)
            for day, text in found.items():
                self._put(layout, day, text)
            at = end if end > at else self._look_closer(block, at)

    def _take_apart(self, block: bytes) -> None:
        """Decode a block with large events. These are left to the row path, which notes them for the log."""
        for line in block.splitlines(keepends=True):
            if len(line) < LARGE:
                self._decode(line)
            elif self._prefix_of(line)[0].handling is Handling.IN_ORDER:
                raise PassFailed(End.NOT_PLAIN)
            else:
                self._leave(line)

    def _count(self, prefix: Prefix, number: int) -> None:
        if not number:
            return
        if prefix.text.startswith(PASSED_OVER + b"\t"):
            self._outcome.passed_over += number
            return
        self._outcome.events[prefix.operation] += number
        if prefix.handling is Handling.IGNORE:
            self._outcome.ignored[prefix.operation] += number
        else:
            self._outcome.rows += number
            self._destination.saw(prefix.table)

    def _look_closer(self, block: bytes, at: int) -> int:
        """See why the decoder stopped at a line; returns where it goes on."""
        end = block.index(b"\n", at) + 1
        line = block[at:end]
        prefix, learned = self._prefix_of(line)
        if prefix.handling is Handling.IN_ORDER:
            raise PassFailed(End.NOT_PLAIN)
        if prefix.handling is Handling.LOAD:
            learned = self._change_layout(line) or learned
        if not learned:
            self._leave(line)
            return end
        return at

    def _prefix_of(self, line: bytes) -> tuple[Prefix, bool]:
        """The prefix of a line, and whether it is a new one."""
        type_, table, _rest = line.split(b"\t", 2)
        text = b"%b\t%b\t" % (type_, table)
        if len(text) > MAX_PREFIX:
            raise PassFailed(End.NOT_PLAIN)
        prefixes = self._layouts.prefixes
        known = prefixes.get(text)
        if known is not None:
            return known, False
        if len(prefixes) == MAX_PREFIXES:
            self._layouts.clear()
        prefix = self._classifier.prefix(text)
        loaded = self._layouts.handled(Handling.LOAD)
        if prefix.handling is Handling.LOAD and any(other.key != prefix.key for other in loaded):
            # New tables get the key that rows have now.
            self._layouts.clear_layouts()
        prefixes[text] = prefix
        return prefix, True

    def _change_layout(self, line: bytes) -> bool:
        """Go on with the layout of a line; returns whether that is a different one."""
        event = self._classifier.event(line)
        layouts, names = self._layouts.layouts, self._classifier.names(event)
        found = layouts.get(names)
        if found is None:
            found = self._make_layout(event)
            if found is None:
                return False
            if len(layouts) == MAX_LAYOUTS:
                self._layouts.clear_layouts()
            layouts[names] = found
        is_other = found is not self._layout
        self._layout = found
        return is_other

    def _make_layout(self, event: Event) -> Layout | None:
        """A new layout; None if the event has none."""
        try:
            layout = self._classifier.layout(event)
            if layout is None:
                return None
            plan = self._plan(layout, layout.day)
        except ValueError:
            return None
        return layout if plan is None else replace(layout, picked=layout.picked_by(plan))

    def _leave(self, line: bytes) -> None:
        """Leave an event to the row path."""
        self.left_over.append(int(line[line.rindex(b"\t") :]))
        if len(self.left_over) > MAX_LEFT_OVER:
            raise PassFailed(End.NOT_PLAIN)

    # Loading.

    def _put(self, layout: Layout, day: bytes, text: bytes) -> None:
        try:
            plan = self._plan(layout, day)
        except ValueError:
            # It is no longer known which events these rows come from.
            raise PassFailed(End.NOT_PLAIN) from None
        if plan is None or self._missing:
            return
        if not isinstance(plan.writer, Insert) or layout.picked_by(plan) != layout.picked:
            raise PassFailed(End.NOT_PLAIN)
        if plan.may_be_doubtful(text):
            raise PassFailed(End.NOT_PLAIN)
        self._copies.put(plan.writer, text)

    def _plan(self, layout: Layout, day: bytes) -> WritePlan | None:
        """How rows of a layout and day are written; None if something has to be made first.

        Raises:
            ValueError: they cannot be loaded, and why.
        """
        key = layout.names, day
        known = self._layouts.plans.get(key)
        if known is not None or key in self._waiting:
            return known
        period = self._destination.periods[day] if day else None
        with self._copies.interrupted():
            plan = self._planner.plan(replace(layout.shape, period=period), layout.event, layout.key)
        if isinstance(plan, WritePlan):
            if len(self._layouts.plans) >= MAX_PLANS:
                self._layouts.plans.clear()
            self._layouts.plans[key] = plan
            self._lacks = self._lacks or plan.lacks
            return plan
        self._waiting.add(key)
        self._missing.add(plan)
        self._copies.abandon()
        return None
