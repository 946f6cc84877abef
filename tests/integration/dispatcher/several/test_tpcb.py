"""TPC-B's four tables in one job."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from harness.rows.job import drain
from harness.servers.database import Database
from harness.servers.queue import Queue
from harness.several.tpcb import Tpcb
from harness.waiting import wait_until
from tdsup.dispatcher.load.passes import End, Pass, Pauses


@pytest.mark.parametrize("with_keys", [False, True])
def test_four_tables_are_the_same_after_kills(
    target: Database, queue: Queue, tmp_path: Path, *, with_keys: bool
) -> None:
    """However batches are cut, and wherever the job is killed: all tables of a batch are there, or none."""
    bank = Tpcb(queue, target, with_keys=with_keys)
    chance = random.Random(2)  # noqa: S311 (repeatable moments)
    queue.tick()
    drain(**bank.keys())
    bank.fill()
    for kill in range(4):
        with bank.program(tmp_path, loop_delay=0.01):
            for _ in range(chance.randint(2, 6)):
                bank.run(chance.randint(1, 60))
                if chance.random() < 0.7:
                    queue.tick()
                balanced(target)
            if kill == 3:
                queue.tick()
                wait_until(bank.is_loaded, "the queue is empty")
        # The context has killed it.
        balanced(target)
    bank.check()
    assert target.value("select count(*) from tdsup.dead_letter") == 0


def balanced(target: Database) -> None:
    """Fail unless the target's tables are of one moment: each delta is in all of them."""
    sums = target.rows(
        "select coalesce((select sum(bbalance) from pgbench_branches), 0), "
        "coalesce((select sum(tbalance) from pgbench_tellers), 0), "
        "coalesce((select sum(abalance) from pgbench_accounts), 0), "
        "coalesce((select sum(delta) from pgbench_history), 0)"
    )
    assert len(set(sums[0])) == 1, sums


@pytest.mark.parametrize("with_keys", [False, True])
def test_four_tables_are_folded(
    target: Database, queue: Queue, monkeypatch: pytest.MonkeyPatch, *, with_keys: bool
) -> None:
    """None of them takes the row path, and none makes the others wait for it."""
    passes: list[tuple[Pass, End]] = []
    ended = Pauses.ended

    def watched(pauses: Pauses, pass_: Pass, end: End) -> None:
        passes.append((pass_, end))
        ended(pauses, pass_, end)

    monkeypatch.setattr(Pauses, "ended", watched)
    bank = Tpcb(queue, target, with_keys=with_keys)
    queue.tick()
    drain(**bank.keys())
    bank.fill()
    for _ in range(3):
        bank.run(100)
        queue.tick()
    values = drain(**bank.keys(), merge_events=0)
    assert values["rows"] == values["events"] == 2022 + 1200
    bank.check()
    assert {end for pass_, end in passes if pass_ is Pass.ORDERED} <= {End.LOADED, End.MISSING}
    assert not {Pass.ROWS, Pass.CAREFUL} & {pass_ for pass_, _ in passes}
