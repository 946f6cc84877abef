"""Blocks of events for the fold of the block path, mostly broken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.fuzz.budget import Budget, Fault
from harness.fuzz.mutator import Mutator

URLENCODED, JSON, VALUES, CHANGES, CONDITIONS, EITHER, UNREAD = range(7)
NOTHING, INSERT, UPDATE, DELETE = range(4)

PREFIXES = (
    (b"I:id", b"public.t", INSERT, URLENCODED),
    (b"U:id", b"public.t", UPDATE, URLENCODED),
    (b"D:id", b"public.t", DELETE, URLENCODED),
    (b"j", b"public.t", INSERT, JSON),
    (b"k", b"public.t", UPDATE, JSON),
    (b"I", b"public.t", INSERT, VALUES),
    (b"U", b"public.t", UPDATE, CHANGES),
    (b"D", b"public.t", DELETE, CONDITIONS),
    (b"own", b"public.t", INSERT, EITHER),
    (b"D:id", b"public.i", NOTHING, URLENCODED),
    (b"pgq.x", b"\\N", NOTHING, UNREAD),
)
COLUMNS = (
    (b"id", b"id", b"id"),
    (b"day", b"day", b"day"),
    (b"note", b"note", b'"note"'),
    (b"x%41", b"x", b"x"),
)

SOUND = (
    b"1\tx\tI:id\tid=1&day=2026-11-24&note=a+b%5c%0A&x%41=7\tpublic.t\n",
    b"2\tx\tI:id\tid=2&day=2026-11-24+10%3A00%3A00.5%2B02&note&x%41\tpublic.t\t\n",
    b"3\t2026-11-24 10:00:00.123+00\tU:id\tid=-1&day=2024-02-29T23:59:59&note=%ff%00&x%41=\tpublic.t\n",
    b"4\tx\tU:id\tid=3&day=2026-11-24&note=a&x%41=b\tpublic.t\tid=1&day=2026-11-24&note&x%41\n",
    b"5\tx\tD:id\tid=1&day=2026-11-24\tpublic.t\n",
    b'6\tx\tj\t{"id": 1, "day":"2026-11-24","note":"a\\\\n\\\\ud83d\\\\ude00", "x":null}\tpublic.t\n',
    b'7\tx\tk\t{"id":"7","day":"2026-11-24","x":-1.5e3}\tpublic.t\t{"id":"8"}\n',
    b"8\tx\tI\t(id,day,\"note\") values ('1','2026-11-24',E'it''s \\\\\\\\')\tpublic.t\n",
    b"9\tx\tU\tx='a''b',\"note\"=null where id='1'\tpublic.t\tid=1&day=2026-11-24&x%41=1\n",
    b"10\tx\tD\tid='1'\tpublic.t\n",
    b"11\tx\town\tid=5&day=2026-11-24\tpublic.t\n",
    b"12\tx\tD:id\tid=1\tpublic.i\n",
    b"13\tx\tpgq.x\tanything\t\\N\n",
)
WORDS = (
    *(b"id=", b"day=", b"note=", b"x%41=", b"&", b"=", b"%", b"%0", b"%zz", b"+", b"\\N", b"\\"),
    *(b"2026-11-24", b"9999-12-31", b"23:59:59.9999999", b"2026-13-01", b"0000-01-01", b"\tpublic.t\t"),
    *(
        b'"',
        b"'",
        b"''",
        b"E'",
        b"{",
        b"}",
        b"\\\\u",
        b"d83d",
        b" where ",
        b" and ",
        b"null",
        b"(",
        b")",
        b",",
    ),
)


def passes(values: tuple[Any, ...]) -> bool | None:
    """Lets some rows pass; strange if a value is absent."""
    return None if ... in values else sum(map(len, filter(None, values))) % 3 > 0


def masked(values: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """Masks values, some of them with NULL; strange if one is long."""
    if any(isinstance(value, bytes) and len(value) > 9 for value in values):
        return None
    return tuple(
        (b"\t%d\\" % len(value) if len(value) % 3 else None) if isinstance(value, bytes) else value
        for value in values
    )


CHOICES = [
    ((), (True,) * 4, (0,), -1, 1, True, 0),
    ((0, -1), (True,) * 6, (2,), 3, 1, True, 0),
    ((), (True, False, True, False), (0, 2), -2, 2, False, 1),
    ((-1, 1, -1), (True,) * 3 + (True, True, False, True), (6, 3), 4, 1, True, 1),
    ((), (True,) * 4, (2,), 0, 1, True, 2),
    ((0, -1), (True,) * 6, (2,), 5, 1, True, 3),
    ((), (True,) * 4, (0,), 1, 1, True, 0, (3,), passes),
    ((), (True, False, True, False), (0,), -1, 1, True, 0, (2, 3), passes),
    ((), (True,) * 4, (0,), 1, 1, True, 1, (), None, (3, 2), masked),
    ((0, -1), (True,) * 6, (2,), 3, 1, True, 0, (4,), passes, (5, 4), masked),
    ((), (True, True, False, True), (0, 3), 1, 1, True, 0, (2,), passes, (3, 0), masked),
    ((), (True,) * 4, (0,), -1, 1, True, 0, (3,), passes, (3,), masked),
    ((-1, 1, 1), (True,) * 7, (3,), 4, 1, True, 0, (), None, (), None, False, 2),
    ((1,), (True,) * 2 + (False, True, True), (1, 3), -2, 1, False, 1, (), None, (4,), masked, False, 0),
]
"""What is given and loaded, the key, what tells the period, and so on: the end of a Description."""

STRETCHES = (
    (-5, 10, 1, True),
    (1795400000, 1795550000, 2, True),
    ((1 << 40) + 1795478400, (1 << 40) + 1795564800, 3, True),
    ((1 << 40) + 1709164800, (1 << 40) + 1709251200, 4, False),
)

LINES = 24
"""Lines of a block."""

CHANGED = 20
"""Changes of a block."""

How = tuple[Any, ...]
Make = Callable[[Any], Any]


def blocks(mutator: Mutator) -> tuple[bytes, How]:
    """A block of whole lines, and the description of them."""
    block = mutator.several(LINES, CHANGED)
    if mutator.rng.random() < 0.3:
        block = block[: int(mutator.rng.random() * len(block))]
    return block[: block.rfind(b"\n") + 1], described(mutator.rng.choice(CHOICES))


def described(choice: tuple[Any, ...]) -> How:
    """A Description, as the compiled fold takes it."""
    given, *rest = choice
    texts = tuple(b"a\\tb" if number else b"\\N" for number in range(given.count(-1)))
    prefixes = tuple((*prefix, texts) for prefix in PREFIXES)
    return (2, prefixes, ((b"",) * 3,) * len(given) + COLUMNS, *rest[:5], given, *rest[5:])


def steps(make: Make, block: Any, text: bytes, how: How) -> list[Any]:
    """All that a fold makes of a block, going on after each line that it does not take."""
    fold, found, at = make(how), [], 0
    for stretch in STRETCHES:
        fold.allow(*stretch)
    while at < len(text):
        end, why = fold.add(block, at)
        if not at <= end <= len(text):
            raise Fault(f"the fold went from byte {at} to {end} of {len(text)}", text)
        found.append((end, int(why), fold.counts()))
        newline = text.find(b"\n", end)
        at = len(text) if newline < 0 else newline + 1
    for number, group in enumerate(fold.groups()):
        found += [tuple(group), fold.text(number, tuple(group[2][::-1]), b"%d" % number)]
    return found


def try_agreement(seed: int, budget: Budget) -> None:
    """The compiled fold and the pure one make the same of every block.

    Raises:
        Fault: they do not.
    """
    from tdsup.dispatcher.events import _fold
    from tdsup.dispatcher.events.folded import Deed, Description, Prefix
    from tdsup.dispatcher.events.purefold import PureFold
    from tdsup.dispatcher.events.scan import Writing

    def pure(how: How) -> PureFold:
        prefixes = tuple(
            Prefix(a, b, Deed(deed), Writing(writing), given) for a, b, deed, writing, given in how[1]
        )
        return PureFold(Description(how[0], prefixes, *how[2:]))

    mutator = Mutator(seed, SOUND, WORDS)
    while budget.is_left:
        block, how = blocks(mutator)
        if steps(_fold.Fold, block, block, how) != steps(pure, block, block, how):
            raise Fault(f"the folds differ, {how}", block)
        budget.spend(LINES)
