"""One run of a job from start to end: its turn, its batches, outages."""

from .run import Run

__all__ = ["Run"]
