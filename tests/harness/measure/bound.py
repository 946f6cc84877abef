"""A figure that is committed, and how far from it a measurement may be."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

MARGIN = 0.07
"""Share of the committed figure by which a measurement may differ: more than repeated runs do, less than the
tenth that must not go unnoticed."""


class Verdict(Enum):
    """What a measurement says about the committed figure."""

    GOOD = "good"
    WORSE = "worse: more work than committed"
    BETTER = "better: lower the committed figure"


@dataclass(frozen=True, slots=True)
class Bound:
    """A committed figure, of which less is better."""

    committed: float

    def judge(self, measured: float) -> Verdict:
        """Compare; a much better figure is to be committed, as else the bound would not hold it any more."""
        if measured > self.committed * (1 + MARGIN):
            return Verdict.WORSE
        if measured < self.committed * (1 - MARGIN):
            return Verdict.BETTER
        return Verdict.GOOD
