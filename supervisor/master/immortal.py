"""Objects that are loaded once and stay: their references need not be counted.

To count is to write, and a forked child copies each page that it writes to. References to objects of its own,
which it calls immortal, the interpreter does not count. Here what modules are made of becomes immortal, too.

That is compiled (``compiled/``) where the installation had a compiler, and does something only on 64-bit
CPython 3.12 and 3.13, for which tests have proved it. Elsewhere all works as well, with more memory.
"""

from __future__ import annotations

import gc
import sys

try:
    from . import _immortal
except ImportError:
    _immortal = None  # type: ignore[assignment]

IS_PROVED = _immortal is not None and _immortal.IS_PROVED
"""Whether objects can become immortal in this interpreter."""


def freeze(*, shares: bool) -> int:
    """Let children share what is loaded by now; call it after all imports and before the first fork.

    Args:
        shares: whether to make immortal what can be.

    Returns:
        How many objects have become immortal.
    """
    gc.collect()
    made = keep_modules() if shares else 0
    gc.freeze()
    return made


def keep_modules() -> int:
    """Make all modules immortal, and what is reached from them: functions, code, types, texts, instances.

    Left out are objects whose end has an effect, such as files and weak references, and what is reached only
    through them.

    Returns:
        How many objects have become immortal; 0 where that is not proved.

    Raises:
        MemoryError: there is too little memory; some are immortal, and all works.
    """
    return _immortal.make_immortal(sys.modules) if IS_PROVED else 0
