"""A batch into tables."""

from .delivery import Delivery
from .destination import Destination
from .outcome import Outcome
from .plan import Gaps, WritePlan
from .routes import Routed
from .rowmode import Mode, RowMode, choose
from .work import BatchWork, Ledger

__all__ = [
    "BatchWork",
    "Delivery",
    "Destination",
    "Gaps",
    "Ledger",
    "Mode",
    "Outcome",
    "Routed",
    "RowMode",
    "WritePlan",
    "choose",
]
