"""Where an event goes, and how its row is written there."""

from .classifier import Classifier, EventKind, Handling
from .given import Given
from .plan import Gaps, Planner
from .routes import MAX_COLUMNS, Routed, Router
from .rowmode import Mode, RowMode, choose
from .shape import Kind, Shape
from .writeplan import WritePlan

__all__ = [
    "MAX_COLUMNS",
    "Classifier",
    "EventKind",
    "Gaps",
    "Given",
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
