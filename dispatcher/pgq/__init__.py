"""The queue: its batches, their sizes, and whether there is anything new."""

from .batch import Batch, Verdict, judge
from .batchsize import BatchSizer
from .bulletin import Bulletin, tick_of
from .listening import listen
from .lookout import ASK_ANYWAY, Lookout
from .lost import lost_position, may_register, unregistered
from .queue import Queue
from .reading import PLAIN, Reading
from .registry import Registry, Whereabouts, no_queue, takes_over, too_old
from .roots import Roots
from .sourcetables import SourcePart, SourceTables
from .standing import Consumers, Standing, standings
from .ticks import Ticks

__all__ = [
    "ASK_ANYWAY",
    "PLAIN",
    "Batch",
    "BatchSizer",
    "Bulletin",
    "Consumers",
    "Lookout",
    "Queue",
    "Reading",
    "Registry",
    "Roots",
    "SourcePart",
    "SourceTables",
    "Standing",
    "Ticks",
    "Verdict",
    "Whereabouts",
    "judge",
    "listen",
    "lost_position",
    "may_register",
    "no_queue",
    "standings",
    "takes_over",
    "tick_of",
    "too_old",
    "unregistered",
]
