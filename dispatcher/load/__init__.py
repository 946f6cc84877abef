"""A batch into tables."""

from .delivery import Delivery
from .destination import Destination
from .outcome import Outcome
from .plan import Planner, WritePlan
from .routes import Routed
from .work import BatchWork

__all__ = [
    "BatchWork",
    "Delivery",
    "Destination",
    "Outcome",
    "Planner",
    "Routed",
    "WritePlan",
]
