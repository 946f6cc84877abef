"""What the target keeps of a consumer: who works for it, its position and its dead letters."""

from .claim import Claim
from .deadletters import DeadLetter, DeadLetters
from .position import Position, Storage
from .replay import Replay

__all__ = [
    "Claim",
    "DeadLetter",
    "DeadLetters",
    "Position",
    "Replay",
    "Storage",
]
