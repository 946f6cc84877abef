"""What the target keeps of a consumer: who works for it, its position and its dead letters."""

from .claim import Claim
from .deadletters import DeadLetters, Retry
from .position import Position, Storage

__all__ = [
    "Claim",
    "DeadLetters",
    "Position",
    "Retry",
    "Storage",
]
