"""A committed figure, and how far a measurement may be from it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

MARGIN = 0.07
"""Share of the committed figure by which a measurement may differ: more than repeated runs differ by,
but less than a tenth, which must be noticed."""


class Verdict(Enum):
    """What a measurement says about the committed figure."""

    GOOD = "good"
    WORSE = "worse: more work than committed"
    BETTER = "better: lower the committed figure"


@dataclass(frozen=True, slots=True)
class Bound:
    """A committed figure; less is better."""

    committed: float

    def judge(self, measured: float) -> Verdict:
        """Compare. A much better figure must be committed, or later losses would go unnoticed."""
        if measured > self.committed * (1 + MARGIN):
            return Verdict.WORSE
        if measured < self.committed * (1 - MARGIN):
            return Verdict.BETTER
        return Verdict.GOOD
