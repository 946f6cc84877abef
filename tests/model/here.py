"""One process in one state of the world: what it sees, and the moves it can build."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .rules import Rule
from .scenario import Job, Program, Scenario
from .world import Batch, Process, Row, Session, Source, Step, Transaction, World, sessions

Move = tuple[str, World]
"""What happens, in words, and the world after it."""


@dataclass(frozen=True)
class View:
    """What a process sees in a state of the world."""

    scenario: Scenario
    rules: frozenset[Rule]
    world: World
    index: int

    @property
    def me(self) -> Process:
        """The process."""
        return self.world.processes[self.index]

    @property
    def job(self) -> Job:
        """What it works for."""
        return self.scenario.jobs[self.index]

    @property
    def name(self) -> str:
        """A letter."""
        return "ABC"[self.index]

    @property
    def source(self) -> Source:
        """Its source."""
        return self.world.sources[self.job.source]

    @property
    def row(self) -> Row:
        """Its row, as it is committed."""
        return self.world.target.rows[self.job.key]

    @property
    def session(self) -> Session:
        """Its session; there is one."""
        assert self.me.session is not None
        return self.me.session

    @property
    def transaction(self) -> Transaction:
        """Its open transaction; there is one."""
        assert self.session.transaction is not None
        return self.session.transaction

    @property
    def batch(self) -> Batch:
        """Its batch; it has one."""
        assert self.me.batch is not None
        return self.me.batch

    def others(self) -> list[Session]:
        """The target's other sessions that work on the same row."""
        jobs = self.scenario.jobs
        return [
            each
            for each in sessions(self.world)
            if each is not self.me.session and jobs[each.owner].key == self.job.key
        ]

    def key_is_held(self) -> bool:
        """Whether another session holds the advisory key of the consumer."""
        # With pgq_ext a second key, of the consumer's name alone, goes with it.
        rivals = sessions(self.world) if self.scenario.shared else self.others()
        return any(each.has_key for each in rivals if each is not self.me.session)

    def row_is_held(self) -> bool:
        """Whether another transaction holds our row."""
        return any(each.has_row for each in self.others())

    def shared_is_held(self) -> bool:
        """Whether another transaction holds the row of ``pgq_ext``."""
        return any(each.has_shared for each in sessions(self.world) if each is not self.me.session)

    @property
    def writes_row(self) -> bool:
        """Whether its program keeps the position in our row, alone or beside ``pgq_ext``."""
        return self.job.program is Program.NEW or not self.scenario.shared


class Here(View):
    """A process in a state of the world, and what it can do."""

    def then(self, words: str, world: World | None = None, **changes: Any) -> Move:
        """The process does something and changes."""
        world = self.world if world is None else world
        processes = list(world.processes)
        processes[self.index] = processes[self.index]._replace(**changes)
        return f"{self.name} {words}", world._replace(processes=tuple(processes))

    def with_source(self, source: Source) -> World:
        """The world with its source changed."""
        sources = list(self.world.sources)
        sources[self.job.source] = source
        return self.world._replace(sources=tuple(sources))

    def with_row(self, row: Row) -> World:
        """The world with its row changed and committed."""
        target = self.world.target
        rows = list(target.rows)
        rows[self.job.key] = row
        return self.world._replace(target=target._replace(rows=tuple(rows)))

    def begun(self, **locks: Any) -> Session:
        """Its session in a new transaction."""
        transaction = Transaction(seen=self.world.target.shared, **locks)
        return self.session._replace(transaction=transaction)

    def idle(self) -> Session:
        """Its session without a transaction."""
        return self.session._replace(transaction=None)

    def again(self, words: str) -> Move:
        """It closes its connections and starts over."""
        return self.then(
            words, step=Step.CONNECT, session=None, online=True, batch=None, newest=None, pioneer=False
        )

    def stop(self, words: str) -> Move:
        """It is blocked, and its connections are closed."""
        words, world = self.then(
            f"is blocked: {words}", step=Step.BLOCKED, session=None, batch=None, newest=None, epoch=0
        )
        if not world.disturbed and self.job.program in (Program.NEW, Program.TODAY):
            world = world._replace(disorder=f"{self.name} is blocked without a cause")
        return words, world


def commit(scenario: Scenario, world: World, session: Session) -> World:
    """The world after the commit of a session's transaction; the session is to be replaced by the caller."""
    transaction = session.transaction
    assert transaction is not None
    load = transaction.load
    if load is None:
        return world
    target, job = world.target, scenario.jobs[session.owner]
    row = target.rows[job.key]
    is_new = job.program is Program.NEW
    if is_new and (row.owner, row.epoch) != (session.owner, session.epoch):
        world = world._replace(disorder=f"{'ABC'[session.owner]} commits in an epoch of another process")
    position = target.shared if scenario.shared else row.tick
    if load.first and position is None:
        world = world._replace(excused=world.excused.union(load.tick.events))
    rows = list(target.rows)
    if is_new or not scenario.shared:
        rows[job.key] = row._replace(tick=load.tick, fresh=load.first if is_new else row.fresh)
    return world._replace(
        target=target._replace(
            applied=tuple(sorted(target.applied + load.events)),
            rows=tuple(rows),
            shared=load.tick if scenario.shared else None,
        )
    )
