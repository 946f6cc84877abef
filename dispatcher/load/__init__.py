"""A batch into tables."""

from .delivery import Delivery
from .destination import Destination
from .destinations import Sieves
from .outcome import Outcome
from .work import BatchWork, Ledger

__all__ = [
    "BatchWork",
    "Delivery",
    "Destination",
    "Ledger",
    "Outcome",
    "Sieves",
]
