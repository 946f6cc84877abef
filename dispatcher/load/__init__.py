"""A batch into tables."""

from .delivery import Delivery, Feed
from .outcome import Needs, Outcome
from .plan import Fitter
from .routes import Routed, Router, check_truncate

__all__ = [
    "Delivery",
    "Feed",
    "Fitter",
    "Needs",
    "Outcome",
    "Routed",
    "Router",
    "check_truncate",
]
