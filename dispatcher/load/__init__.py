"""A batch into tables."""

from .delivery import Delivery
from .destination import Destination
from .outcome import Outcome
from .plan import Planner, WritePlan
from .routes import Routed
from .rowmode import Mode, RowMode, choose
from .work import BatchWork, Ledger

__all__ = [
    "BatchWork",
    "Delivery",
    "Destination",
    "Ledger",
    "Mode",
    "Outcome",
    "Planner",
    "Routed",
    "RowMode",
    "WritePlan",
    "choose",
]
