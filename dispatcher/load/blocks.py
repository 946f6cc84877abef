"""Batches of plain inserts, by whole blocks: a second thread loads while this one fetches and decodes.

Rows that do not fit are left to the general way, `Loader`, in the same transaction; a batch that changes rows
is left to it altogether.
"""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self

import psycopg2
from psycopg2.extensions import cursor as Cursor

from ..errors import BatchError, SetupError, is_data
from ..events import Event, decode_block
from ..write import Insert
from .handoff import Stock
from .layout import MAX_FORMS, MAX_HEADS, NO_FORM, Form, Forms, Head, Kind, Sorter
from .outcome import Needs, Outcome
from .plan import Fit, Fitter
from .rows import LARGE

MAX_ODD = 1000
"""Events of a batch that are left to the general way; with more of them all are."""


class Bulk:
    """Loads blocks of events within the transaction of `cursor`; a context, which ends its thread.

    Args:
        cursor: of the target.
        sorter: tells heads and forms.
        fitter: finds writers, and notes what has to be made.
        forms: what is known already.
        sources: tables of the source that were seen; those that come up are added.
        outcome: counted up.
        needs: what has to be made first; with anything there, nothing more is loaded.
        limit: bytes of decoded rows held at most.

    Attributes:
        odd: ``ev_id`` of events that are left to the general way.
    """

    def __init__(
        self,
        cursor: Cursor,
        sorter: Sorter,
        fitter: Fitter,
        forms: Forms,
        sources: set[bytes],
        outcome: Outcome,
        needs: Needs,
        limit: int,
    ) -> None:
        self._cursor = cursor
        self._sorter = sorter
        self._fitter = fitter
        self._forms = forms
        self._sources = sources
        self._outcome = outcome
        self._needs = needs
        self._stock = Stock[Insert](limit)
        self._thread: threading.Thread | None = None
        # The connection to the target serves one thread at a time.
        self._turn = threading.Lock()
        self._error: Exception | None = None
        self._form: tuple[Form, tuple[int, ...]] = NO_FORM
        self._waiting: set[tuple[tuple[bytes, ...], bytes]] = set()
        self._lacks = False
        self.odd: list[int] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stock.abandon()
        if self._thread is not None:
            self._thread.join()

    def add(self, block: bytes) -> None:
        """Take whole lines, as `Queue.stream` hands them over. Errors are kept for `finish`."""
        if self._is_over():
            return
        try:
            if len(block) < LARGE:
                self._decode(block)
            else:
                self._take_apart(block)
        except (BatchError, SetupError, psycopg2.Error) as error:
            self._error = error
        if self._error or self._needs:
            self._stock.abandon()

    def finish(self) -> None:
        """Load what is left.

        Raises:
            BatchError, SetupError, psycopg2.Error: not loaded, and not because of a row.
        """
        self._stock.close()
        if self._thread is not None:
            self._thread.join()
        elif not self._is_over():
            self._load()
        if self._error is not None:
            raise self._error
        if self._lacks:
            # The table may get what it lacks meanwhile.
            self._forms.clear()

    def _is_over(self) -> bool:
        return self._error is not None or self._needs.care or self._needs.order

    # Decoding.

    def _decode(self, block: bytes) -> None:
        at = 0
        while at < len(block) and not self._is_over():
            form, picked = self._form
            rows, passed = self._forms.of_kind(Kind.ROW), self._forms.of_kind(Kind.PASS)
            texts = tuple(head.text for head in rows), tuple(head.text for head in passed)
            end, found, counts = decode_block(block, at, *texts, form.names, picked, form.part)
            for head, count in zip((*rows, *passed), counts, strict=True):
                self._count(head, count)
            for day, text in found.items():
                self._put(form, day, text)
            at = end if end > at else self._look_closer(block, at)

    def _take_apart(self, block: bytes) -> None:
        """Decode a block with large events: these are left to the general way, which tells of them."""
        for line in block.splitlines(keepends=True):
            if len(line) < LARGE:
                self._decode(line)
            elif self._head_of(line)[0].kind is Kind.CHANGE:
                self._needs.order = True
            else:
                self._leave(line)

    def _count(self, head: Head, number: int) -> None:
        self._outcome.see(head.operation, number)
        if head.kind is Kind.PASS:
            self._outcome.ignore(head.operation, number)
        elif number:
            self._outcome.rows += number
            self._sources.add(head.table)

    def _look_closer(self, block: bytes, at: int) -> int:
        """See why the decoder stops at a line; returns where it is to go on."""
        end = block.index(b"\n", at) + 1
        line = block[at:end]
        head, learned = self._head_of(line)
        if head.kind is Kind.CHANGE:
            self._needs.order = True
            return end
        if head.kind is Kind.ROW:
            learned = self._change_form(line) or learned
        if not learned:
            self._leave(line)
            return end
        return at

    def _head_of(self, line: bytes) -> tuple[Head, bool]:
        """The head of a line, and whether it is a new one."""
        type_, table, _rest = line.split(b"\t", 2)
        text = b"%b\t%b\t" % (type_, table)
        heads = self._forms.heads
        known = heads.get(text)
        if known is not None:
            return known, False
        if len(heads) == MAX_HEADS:
            self._forms.clear()
        head = self._sorter.head(text)
        rows = self._forms.of_kind(Kind.ROW)
        if head.kind is Kind.ROW and any(row.key != head.key for row in rows):
            # New tables get the key that rows have now.
            self._forms.clear_forms()
        heads[text] = head
        return head, True

    def _change_form(self, line: bytes) -> bool:
        """Take the form of a line for the present one; returns whether that is another."""
        event = self._sorter.event(line)
        names = self._sorter.names(event)
        known = self._forms.forms.get(names)
        if known is None:
            known = self._make_form(event)
            if known is None:
                return False
            if len(self._forms.forms) == MAX_FORMS:
                self._forms.clear_forms()
            self._forms.forms[names] = known
        is_other = known is not self._form
        self._form = known
        return is_other

    def _make_form(self, event: Event) -> tuple[Form, tuple[int, ...]] | None:
        """A new form and the columns that are written; None if the event has none."""
        try:
            form = self._sorter.form(event)
            if form is None:
                return None
            fit = self._find_fit(form, form.day)
        except ValueError:
            return None
        return form, form.picked(fit)

    def _leave(self, line: bytes) -> None:
        """Leave an event to the general way."""
        self.odd.append(int(line[line.rindex(b"\t") :]))
        self._needs.order = self._needs.order or len(self.odd) > MAX_ODD

    # Loading.

    def _put(self, form: Form, day: bytes, text: bytes) -> None:
        try:
            fit = self._find_fit(form, day)
        except ValueError:
            # Which events these rows are from is not known any more.
            self._needs.order = True
            return
        if fit is None or self._needs:
            return
        if not isinstance(fit.writer, Insert) or form.picked(fit) != self._form[1]:
            self._needs.order = True
            return
        self._stock.put(fit.writer, text)
        if self._thread is None and self._stock.is_worth_loading:
            self._thread = threading.Thread(target=self._load, name="load")
            self._thread.start()
        self._stock.wait()

    def _find_fit(self, form: Form, day: bytes) -> Fit | None:
        """How rows of a form and day are written; None if something has to be made first, or all is over."""
        key = form.names, day
        fit = self._forms.fits.get(key)
        if fit is None and key not in self._waiting:
            with self._turn:
                fit = None if self._is_over() else self._sorter.fit(form, day, self._fitter)
            if fit is None:
                self._waiting.add(key)
            else:
                self._forms.fits[key] = fit
                self._lacks = self._lacks or fit.lacks
        return fit

    def _load(self) -> None:
        """Load rows as they come. Whatever ends this early must be known: nobody else would load the rest."""
        while taken := self._stock.take():
            writer, texts = taken
            with self._turn:
                try:
                    writer.write(self._cursor, texts)
                except Exception as error:  # noqa: BLE001 (raised again by `finish`)
                    if isinstance(error, psycopg2.Error) and is_data(error):
                        self._needs.care = True
                    else:
                        self._error = error
            if self._is_over():
                self._stock.abandon()
