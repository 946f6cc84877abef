"""Where an event goes, and how its row is written there."""

from .classifier import Classifier, EventKind, Handling
from .plan import Gaps, Kind, Planner, Shape, WritePlan
from .routes import Routed, Router
from .rowmode import Mode, RowMode, choose

__all__ = [
    "Classifier",
    "EventKind",
    "Gaps",
    "Handling",
    "Kind",
    "Mode",
    "Planner",
    "Routed",
    "Router",
    "RowMode",
    "Shape",
    "WritePlan",
    "choose",
]
