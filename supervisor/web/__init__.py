"""The web child: the only part that speaks HTTP, imported after its fork except for what `child` needs."""

from .child import run_web

__all__ = [
    "run_web",
]
