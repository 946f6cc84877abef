"""What is done to rows before anything else: masks are put on, and those are left out that do not match."""

from .condition import Condition
from .grammar import read_condition
from .masking import Masking
from .masks import NO_MASKS, Masks, read_masks
from .sieve import LETS_ALL_PASS, Sieve

__all__ = [
    "LETS_ALL_PASS",
    "NO_MASKS",
    "Condition",
    "Masking",
    "Masks",
    "Sieve",
    "read_condition",
    "read_masks",
]
