"""Blocks of events folded to what they do to each row, all told.

`Fold` is compiled (``compiled/``) where the installation had a compiler; elsewhere it is `PureFold`, its
reference.
"""

from __future__ import annotations

from .purefold import PureFold

try:
    from ._fold import Fold as Fold
except ImportError:
    Fold = PureFold  # type: ignore[assignment,misc]

IS_COMPILED = not issubclass(Fold, PureFold)
"""Whether `Fold` is the compiled one."""
