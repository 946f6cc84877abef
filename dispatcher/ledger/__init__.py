"""What the target remembers of a consumer: its position and its dead letters."""

from .deadletters import Letters, Retry
from .position import Position

__all__ = [
    "Letters",
    "Position",
    "Retry",
]
