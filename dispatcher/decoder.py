"""The decoder in use: compiled, or the pure one where the installation had no compiler."""

from __future__ import annotations

from . import puredecoder

try:
    from ._decoder import decode
except ImportError:
    decode = puredecoder.decode

IS_COMPILED = decode is not puredecoder.decode
"""Whether it is the compiled one."""

__all__ = ["IS_COMPILED", "decode"]
