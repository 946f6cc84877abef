"""Blocks of events for the decoder of the block path, mostly broken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.fuzz.budget import Budget, Fault
from harness.fuzz.mutator import Mutator

PREFIXES = (b"I:id\tpublic.t\t", b"I\tpublic.t\t")
IGNORED = (b"pgq.x\t\\N\t", b"D:id\tpublic.t\t")
NAMES = (b"id", b"day", b"note", b"x%41")

SOUND = (
    b"I:id\tpublic.t\tid=1&day=2026-11-24&note=a+b%5c%0A&x%41=7\t11\n",
    b"I:id\tpublic.t\tid&day=2026-11-24+10%3A00%3A00.5%2B02&note&x%41\t12\n",
    b"I\tpublic.t\tid=-1&day=2024-02-29T23:59:59&note=%ff%00&x%41=\t2026-11-24 10:00:00.123+00\t13\n",
    b"D:id\tpublic.t\tid=1\t14\n",
    b"pgq.x\t\\N\tanything\t15\n",
)
WORDS = (
    *(b"id=", b"day=", b"note=", b"x%41=", b"&", b"=", b"%", b"%0", b"%zz", b"+", b"\\N", b"\\"),
    *(b"2026-11-24", b"9999-12-31", b"23:59:59.9999999", b"2026-13-01", b"0000-01-01", b"I:id\tpublic.t\t"),
)
CHOICES = [
    ((0, 1, 2, 3), 1),
    ((2, 0), 1),
    ((3,), -1),
    ((0, 0, 0), -2),
    ((), -1),
    ((1, 2), 3),
]
"""Columns that are written, and the one that tells the day."""

LINES = 24
"""Lines of a block."""

CHANGES = 20
"""Changes of a block."""

Decode = Callable[..., tuple[int, dict[bytes, bytes], tuple[int, ...]]]


def blocks(mutator: Mutator) -> tuple[bytes, tuple[Any, ...]]:
    """A block, and how it is to be decoded; it may end anywhere."""
    block = mutator.several(LINES, CHANGES)
    if mutator.rng.random() < 0.3:
        block = block[: int(mutator.rng.random() * len(block))]
    return block, (PREFIXES, IGNORED, NAMES, *mutator.rng.choice(CHOICES))


def steps(decode: Decode, block: Any, text: bytes, how: tuple[Any, ...]) -> list[Any]:
    """All that a decoder makes of a block, going on after each line that it does not take."""
    found, at = [], 0
    while at < len(text):
        end, rows, counts = decode(block, at, *how)
        if not at <= end <= len(text):
            raise Fault(f"the decoder went from byte {at} to {end} of {len(text)}", text)
        found.append((end, rows, counts))
        newline = text.find(b"\n", end)
        at = len(text) if newline < 0 else newline + 1
    return found


def try_agreement(seed: int, budget: Budget) -> None:
    """The compiled decoder and the pure one make the same of every block.

    Raises:
        Fault: they do not.
    """
    from tdsup.dispatcher.events import _decoder
    from tdsup.dispatcher.events.decoder import decode_block_purely

    mutator = Mutator(seed, SOUND, WORDS)
    while budget.is_left:
        block, how = blocks(mutator)
        whole = block[: block.rfind(b"\n") + 1]
        compiled = steps(_decoder.decode_block, whole, whole, how)
        if compiled != steps(decode_block_purely, whole, whole, how):
            raise Fault(f"the decoders differ, {how}", whole)
        budget.spend(LINES)
