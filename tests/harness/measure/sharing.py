"""A program for any Python, without packages: what a forked child copies, its modules immortal or not.

    python sharing.py FOLDER keep|count

FOLDER has the compiled module. It prints a line of JSON, and ends as every program does.
"""

from __future__ import annotations

import asyncio
import dataclasses
import email.message
import gc
import http.server
import importlib
import json
import multiprocessing
import os
import sys
import unittest.mock
import xml.dom.minidom
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from types import ModuleType

LOADED = (asyncio, dataclasses, email.message, http.server, unittest.mock, xml.dom.minidom, Fraction)
"""So that there is much to share."""

TEXTS = [sys.intern(f"text {number}") for number in range(20_000)]
"""Texts that the interpreter keeps in a table of its own, where it looks at each when it ends."""


class Loud:
    """Something whose end is seen."""

    def __del__(self, write: Callable[[int, bytes], int] = os.write) -> None:
        """Say so; modules may be empty by now."""
        write(1, b"the end\n")


LOUD = Loud()


class Quiet:
    """Something whose end is not."""

    def __init__(self) -> None:
        self.names = {"a": TEXTS}


QUIET = Quiet()


def use_all() -> int:
    """Refer to all that modules hold, as running code does; returns how much that is."""
    held = [
        value
        for module in list(sys.modules.values())
        if isinstance(module, ModuleType)
        for owner in (module, *(each for each in vars(module).values() if isinstance(each, type)))
        for value in list(vars(owner).values())
    ]
    return len(held)


def copied() -> int:
    """KiB of this process that it shares with nobody."""
    lines = Path("/proc/self/smaps_rollup").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Private_Dirty:"))


def in_child() -> dict[str, int]:
    """What a child tells that uses all modules, and ends by itself."""
    reader, writer = os.pipe()
    if not os.fork():
        before = copied()
        use_all()
        os.write(writer, json.dumps({"copied": copied() - before}).encode())
        sys.exit(0)
    os.close(writer)
    with os.fdopen(reader, encoding="ascii") as answer:
        told: dict[str, int] = json.load(answer)
    return told | {"status": os.wait()[1]}


def counts() -> list[int]:
    """Counts of references to one object of each kind."""
    kinds = (json, json.loads, json.loads.__code__, json.JSONDecoder, TEXTS, TEXTS[0], QUIET, QUIET.names)
    return [sys.getrefcount(each) for each in kinds]


def main() -> None:
    """Do it, and tell."""
    folder, what = sys.argv[1:]
    sys.path.insert(0, folder)
    _immortal = importlib.import_module("_immortal")
    use_all()
    made = _immortal.make_immortal(sys.modules) if what == "keep" else 0
    before = counts()
    held = [(json, json.loads, json.JSONDecoder, TEXTS, TEXTS[0], QUIET)] * 1000 + [tuple(TEXTS)] * 2
    more = [[json, json.loads, json.loads.__code__, json.JSONDecoder, TEXTS, TEXTS[0], QUIET] for _ in held]
    are_same = counts() == before
    again = _immortal.make_immortal(sys.modules) if what == "keep" else 0
    gc.collect()
    gc.freeze()
    process = multiprocessing.get_context("fork").Process(target=use_all)
    process.start()
    process.join()
    del held, more
    known = all(sys.intern(f"text {number}") is text for number, text in enumerate(TEXTS))
    told = {"made": made, "again": again, "same": are_same, "known": known, "exit": process.exitcode}
    told["loud"] = sys.getrefcount(LOUD)
    sys.stdout.write(json.dumps(told | in_child() | {"proved": _immortal.IS_PROVED}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
