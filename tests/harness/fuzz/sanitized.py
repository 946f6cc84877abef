"""The compiled fold under AddressSanitizer and UndefinedBehaviorSanitizer, in a process of its own.

Its input is in a piece of memory that ends where the input ends, so that one byte too many is noticed.
"""

from __future__ import annotations

import ctypes
import importlib.machinery
import importlib.util
import json
import os
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from harness.fuzz.blocks import LINES, SOUND, WORDS, Make, blocks, steps
from harness.fuzz.budget import Budget, Fault
from harness.fuzz.mutator import Mutator
from harness.paths import TESTS

SOURCE = TESTS.parent / "dispatcher" / "events" / "compiled"

FLAGS = "-shared -fPIC -g -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all"

PATIENCE = 60.0
"""Seconds for the process to begin and to end."""


def try_sanitized(seed: int, budget: Budget, seconds: float, inputs: int, source: Path = SOURCE) -> None:
    """Build the fold and let a process try it.

    Args:
        seed: of the random numbers.
        budget: is told the number of inputs.
        seconds: how long.
        inputs: how many at most; 0: no limit.
        source: folder of the fold's.

    Raises:
        Fault: a sanitizer found something.
    """
    with tempfile.TemporaryDirectory() as folder:
        built, last = Path(folder, "_fold.so"), Path(folder, "last")
        words = [str(built), str(last), str(seed), str(seconds), str(inputs)]
        done = subprocess.run(
            [sys.executable, "-m", "harness.fuzz.sanitized", *words],
            env=_build(source, built),
            capture_output=True,
            text=True,
            timeout=seconds + PATIENCE,
            check=False,
        )
        if done.returncode:
            lines = [line for line in done.stderr.splitlines() if "ERROR" in line or "error" in line]
            raise Fault("\n".join(lines[:3] or [done.stderr[-2000:]]), last.read_bytes())
        budget.spend(json.loads(done.stdout))


def _build(source: Path, built: Path) -> dict[str, str]:
    """Build the fold; returns the environment of a process that can load it."""
    include = f"-I{sysconfig.get_path('include')}"
    compile_ = ["cc", *FLAGS.split(), include, *map(str, source.glob("*.c")), "-o", str(built)]
    subprocess.run(compile_, check=True, timeout=PATIENCE)
    find = ["cc", "-print-file-name=libasan.so"]
    asan = subprocess.run(find, check=True, capture_output=True, text=True).stdout.strip()
    return {
        **os.environ,
        "LD_PRELOAD": asan,
        # Python itself frees little when it ends.
        "ASAN_OPTIONS": "detect_leaks=0:abort_on_error=0",
        "PYTHONMALLOC": "malloc",
        "PYTHONPATH": str(TESTS),
    }


def _load(path: str) -> Make:
    loader = importlib.machinery.ExtensionFileLoader("_fold", path)
    spec = importlib.util.spec_from_loader("_fold", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    make: Make = module.Fold
    return make


def main(built: str, last: str, seed: str, seconds: str, inputs: str) -> None:
    """Be the process: print how many inputs were tried; `last` holds the one that is being tried."""
    make, mutator = _load(built), Mutator(int(seed), SOUND, WORDS)
    budget = Budget(float(seconds), int(inputs))
    descriptor = os.open(last, os.O_WRONLY | os.O_CREAT, 0o600)
    while budget.is_left:
        block, how = blocks(mutator)
        os.ftruncate(descriptor, len(block))
        os.pwrite(descriptor, block, 0)
        steps(make, (ctypes.c_char * len(block)).from_buffer_copy(block), block, how)
        budget.spend(LINES)
    sys.stdout.write(json.dumps(budget.inputs))


if __name__ == "__main__":
    main(*sys.argv[1:])
