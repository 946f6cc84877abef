"""The queue: its batches, their sizes, and whether there is anything new."""

from .batch import Batch, Verdict, judge
from .batchsize import BatchSizer
from .lookout import Lookout
from .queue import Queue

__all__ = [
    "Batch",
    "BatchSizer",
    "Lookout",
    "Queue",
    "Verdict",
    "judge",
]
