"""The thread that loads whole blocks: nothing that ends it goes unnoticed."""

from __future__ import annotations

import threading

import pytest
from harness.job import settings_of
from tdsup.dispatcher.load.blocks import Bulk
from tdsup.dispatcher.load.layout import Forms, Sorter
from tdsup.dispatcher.load.outcome import Needs, Outcome
from tdsup.dispatcher.load.plan import Fit
from tdsup.dispatcher.partitions.period import PeriodCache
from tdsup.dispatcher.postgres.identifier import TableName
from tdsup.dispatcher.write.writer import Insert

ROW = b"I:id\tpublic.orders\tid=1&note=" + b"x" * 1000 + b"\t7\n"


class Fitter:
    """Knows one table."""

    def fit(self, *_: object) -> Fit:
        """Any row goes there."""
        return Fit(Insert(TableName("public", "orders"), ("id", "note")), None, names_rows=False)


class Cursor:
    """Fails as nobody expects."""

    def copy_expert(self, *_: object) -> None:
        """Run out of memory."""
        raise MemoryError


@pytest.mark.timeout(20)
@pytest.mark.parametrize("blocks", [1, 200])
def test_what_ends_the_thread_ends_the_batch(blocks: int) -> None:
    """An error that is none of the database's is raised, before or after the thread is started."""
    settings = settings_of(src_db="", dst_db="", pgq_queue_name="q", dest_table="orders")
    sorter = Sorter(settings, PeriodCache("daily"))
    threads = threading.active_count()
    bulk = Bulk(Cursor(), sorter, Fitter(), Forms(), set(), Outcome(), Needs(), 1 << 20)  # type: ignore[arg-type]
    with bulk:
        for _ in range(blocks):
            bulk.add(ROW * 100)
        with pytest.raises(MemoryError):
            bulk.finish()
    assert threading.active_count() == threads
