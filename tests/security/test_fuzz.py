"""Broken input makes nobody do what he must not; `script/fuzz` tries longer."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from harness.fuzz.__main__ import SANITIZED, TARGETS, tried
from harness.fuzz.budget import Budget, Fault
from harness.fuzz.sanitized import SOURCE, try_sanitized

SEED = 14

SECONDS = {SANITIZED: 30, "agreement": 20, "events": 20, "ini": 20, "control": 15, "http": 15}
"""How long each is tried: two minutes in all."""

LEAST = {SANITIZED: 50_000, "agreement": 20_000, "events": 10_000, "ini": 500, "control": 100, "http": 100}
"""Inputs that even a busy machine gets through in that time."""


@pytest.mark.parametrize("target", [SANITIZED, *TARGETS])
def test_broken_input(target: str) -> None:
    """Each reader raises what it promises, no sanitizer complains, and each server serves the next client."""
    assert tried(target, SEED, SECONDS[target]).inputs > LEAST[target]


def test_a_planted_fault_is_found(tmp_path: Path) -> None:
    """One byte read beyond the end of a block is noticed, and shown with the block."""
    shutil.copytree(SOURCE, tmp_path, dirs_exist_ok=True)
    module = tmp_path / "module.c"
    text = module.read_text(encoding="utf-8")
    sound, planted = "end = text + block.len;", "end = text + block.len + 1;"
    assert text.count(sound) == 1
    module.write_text(text.replace(sound, planted), encoding="utf-8")
    with pytest.raises(Fault, match="AddressSanitizer: heap-buffer-overflow"):
        try_sanitized(SEED, Budget(30), 30, 100_000, tmp_path)
