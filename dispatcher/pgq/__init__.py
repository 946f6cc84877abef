"""The queue: its batches, their sizes, and whether there is anything new."""

from .batch import Batch, Verdict, judge
from .batchsize import BatchSizer
from .bulletin import Bulletin
from .lookout import Lookout
from .lost import lost_position, may_register, unregistered
from .queue import Queue
from .reading import PLAIN, Reading
from .registry import Registry, Whereabouts, takes_over, too_old
from .sourcetables import SourceTables
from .ticks import Ticks

__all__ = [
    "PLAIN",
    "Batch",
    "BatchSizer",
    "Bulletin",
    "Lookout",
    "Queue",
    "Reading",
    "Registry",
    "SourceTables",
    "Ticks",
    "Verdict",
    "Whereabouts",
    "judge",
    "lost_position",
    "may_register",
    "takes_over",
    "too_old",
    "unregistered",
]
