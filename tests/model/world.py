"""The state of the world: source, target, sessions, processes. All of it is plain values that can be hashed.

Events are numbers. There is one event between two ticks, known by the tick that ends its interval.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Tick(NamedTuple):
    """A tick of a queue. Programs see its number and its time; the rest is for the explorer's judgement."""

    number: int
    time: int
    events: tuple[int, ...]
    """Every event of the queue up to the tick."""

    def __str__(self) -> str:
        """Number and time, as people would compare them."""
        return f"{self.number}@{self.time}"


class Subscription(NamedTuple):
    """How far a consumer is, and the batch that it has open."""

    last: Tick
    end: Tick | None = None
    batch: int = 0


class Source(NamedTuple):
    """One queue with one consumer."""

    ticks: tuple[Tick, ...]
    subscription: Subscription | None = None
    batches: int = 0
    """Ids of batches given out so far; a restore takes them back too."""

    clock: int = 1
    """Time of the newest tick ever made; no restore takes that back."""


class Row(NamedTuple):
    """What the target keeps of a consumer, by queue and consumer."""

    epoch: int = 0
    owner: int | None = None
    """The process that took the epoch."""

    source: int | None = None
    """The source that the consumer reads."""

    tick: Tick | None = None
    """The last applied tick."""

    fresh: bool = False
    """The tick was chosen as the first one, and no batch of ours was applied since."""


class Target(NamedTuple):
    """What is committed in the target."""

    applied: tuple[int, ...] = ()
    rows: tuple[Row, ...] = (Row(),)
    shared: Tick | None = None
    """The tick in ``pgq_ext``, by consumer alone; programs see its number only."""


class Load(NamedTuple):
    """What a transaction writes: events, and the tick up to which they go."""

    events: tuple[int, ...]
    tick: Tick
    first: bool = False
    """There are no events: the tick is the first, chosen before anything is loaded."""


class Transaction(NamedTuple):
    """An open transaction on the target: the locks it holds, what it saw and what it will have written."""

    holds_row: bool = False
    holds_shared: bool = False
    holds_key: bool = False
    seen: Tick | None = None
    """The tick in ``pgq_ext`` when it began."""

    load: Load | None = None


class Session(NamedTuple):
    """A session of the target's server. It may outlive the connection."""

    owner: int
    epoch: int = 0
    """The epoch that names it; 0: none."""

    holds_key: bool = False
    """Whether it holds the advisory key, as today's program does for the length of a session."""

    transaction: Transaction | None = None
    will_commit: bool = False
    """COMMIT was sent before the connection was lost."""

    @property
    def has_key(self) -> bool:
        """Whether it or its transaction holds the advisory key."""
        return self.holds_key or (self.transaction is not None and self.transaction.holds_key)

    @property
    def has_row(self) -> bool:
        """Whether its transaction holds our row."""
        return self.transaction is not None and self.transaction.holds_row

    @property
    def has_shared(self) -> bool:
        """Whether its transaction holds the row of ``pgq_ext``."""
        return self.transaction is not None and self.transaction.holds_shared


class Step(Enum):
    """What a process does next; each is atomic."""

    CONNECT = "connects"
    CLAIM = "claims the consumer"
    LOOK = "looks at the queue"
    PLACE = "finds its place"
    LOCK_FIRST = "locks the row of the first tick"
    REGISTER = "registers"
    NEXT = "asks for a batch"
    BEGIN = "begins"
    DOUBT = "doubts that the batch is open"
    REWRITE = "writes the tick in pgq_ext again"
    WORK = "loads the batch"
    COMMIT = "commits"
    FINISH = "finishes the batch"
    BLOCKED = "is blocked"


class Batch(NamedTuple):
    """A batch as a process remembers it."""

    id: int
    start: Tick
    end: Tick

    @property
    def events(self) -> tuple[int, ...]:
        """Those between its ticks."""
        return tuple(event for event in self.end.events if event not in self.start.events)


class Process(NamedTuple):
    """What a process knows."""

    step: Step = Step.CONNECT
    session: Session | None = None
    """On the target; None: it has none, or it was ended and the process will notice."""

    online: bool = True
    """Whether its connection to the source still stands."""

    epoch: int = 0
    """The epoch that it took; kept when a connection is lost, not in a crash."""

    newest: Tick | None = None
    """The tick to register at; None: it was registered when it looked."""

    pioneer: bool = False
    """It registered the consumer itself, without a first tick in the row."""

    batch: Batch | None = None


class Late(NamedTuple):
    """A statement that was sent to a source before the connection was lost, and may still run."""

    source: int
    batch: int = 0
    """Finish that batch."""

    tick: Tick | None = None
    """Register at that tick."""


class Left(NamedTuple):
    """How often each thing may still happen."""

    ticks: int = 2
    losses: int = 0
    """Crashes and lost connections."""

    takeovers: int = 0
    misjudgements: int = 0
    """A living owner is taken for gone: its backend's number was given out again, a pooler reset its name."""

    target_restores: int = 0
    source_restores: int = 0
    remakes: int = 0
    """Queues dropped and made anew."""

    commands: int = 0
    """``rewind`` and ``reset``."""


class World(NamedTuple):
    """All there is."""

    sources: tuple[Source, ...]
    target: Target
    processes: tuple[Process, ...]
    left: Left
    orphans: frozenset[Session] = frozenset()
    """Sessions of the target whose connections are lost."""

    late: frozenset[Late] = frozenset()
    target_backup: Target | None = None
    source_backup: Source | None = None
    excused: frozenset[int] = frozenset()
    """Events from before the consumer's start."""

    disturbed: bool = False
    """Something happened that may block a job: a restore, a queue made anew."""

    told: bool = False
    """A ``finish_batch`` answered 0."""

    fault: str = ""
    """How a step passed over events, where the state alone does not show it."""

    disorder: str = ""
    """What a step did that is not in order, though nothing is lost or doubled by it."""


def sessions(world: World) -> list[Session]:
    """Every session of the target."""
    return [process.session for process in world.processes if process.session is not None] + [*world.orphans]
