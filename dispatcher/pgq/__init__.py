"""The queue: its batches, their size, and whether there is news."""

from .batch import Batch, Verdict, judge
from .batchsize import Merging
from .lookout import Lookout
from .queue import Source

__all__ = [
    "Batch",
    "Lookout",
    "Merging",
    "Source",
    "Verdict",
    "judge",
]
