"""What is loaded at the start is shared by all children, where that is proved."""

from __future__ import annotations

import gc
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from harness.paths import TESTS
from tdsup.supervisor.master import immortal

SOURCE = Path(immortal.__file__).parent / "compiled" / "immortal.c"

PROGRAM = TESTS / "harness" / "measure" / "sharing.py"

PROVED = ("3.12", "3.13")
"""Versions of CPython for which the tests below hold."""

INCLUDE = "import sysconfig; print(sysconfig.get_python_version(), sysconfig.get_path('include'))"


def interpreters(version: str) -> Iterator[str]:
    """Where a Python of that version may be: this one, on the path, or one of pyenv's."""
    yield sys.executable
    if found := shutil.which(f"python{version}"):
        yield found
    if shutil.which("pyenv"):
        root = subprocess.run(["pyenv", "root"], capture_output=True, text=True, check=True).stdout.strip()
        yield from map(str, Path(root, "versions").glob(f"{version}.*/bin/python{version}"))


def find(version: str) -> tuple[str, str]:
    """A Python of that version and the folder of its headers; without it a test is skipped, but not in CI."""
    for path in interpreters(version):
        asked = subprocess.run([path, "-c", INCLUDE], capture_output=True, text=True, check=False)
        its, _, include = asked.stdout.strip().partition(" ")
        if its == version and Path(include, "Python.h").exists():
            return path, include
    reason = f"cannot find Python {version} with its headers"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def compiled(include: str, folder: Path) -> Path:
    """Compile the module for a Python; returns the folder that has it."""
    built = str(folder / "_immortal.so")
    compiler = ["cc", "-O2", "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror", f"-I{include}"]
    subprocess.run([*compiler, str(SOURCE), "-o", built], check=True)
    return folder


def run(python: str, folder: Path, what: str) -> tuple[dict[str, Any], str]:
    """What the program says, and how it ends; it must end well."""
    # A child is forked on purpose; its parent has no threads.
    options = ["-X", "dev", "-W", "error", "-W", "ignore::DeprecationWarning"]
    done = subprocess.run(
        [python, *options, PROGRAM, folder, what], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    first, _, rest = done.stdout.partition("{")
    line, _, rest = rest.partition("\n")
    return json.loads("{" + line), first + rest


@pytest.mark.parametrize("version", PROVED)
def test_children_copy_little_of_what_is_immortal(version: str, tmp_path: Path) -> None:
    """Counts stay as they are, a child that uses everything copies a quarter at most, and all ends well."""
    python, include = find(version)
    folder = compiled(include, tmp_path)
    counted, _ = run(python, folder, "count")
    kept, ended = run(python, folder, "keep")
    assert (counted["made"], counted["same"]) == (0, False)
    assert kept["proved"] is kept["same"] is kept["known"] is True
    assert kept["made"] > 20_000
    # What has become immortal is passed over.
    assert kept["again"] < 100
    assert (kept["status"], kept["exit"]) == (0, 0)
    assert kept["copied"] * 4 < counted["copied"], (kept, counted)
    # An object whose end is seen is counted as ever; it ends with the child and with the program.
    assert kept["loud"] == counted["loud"]
    assert ended == "the end\n" * 2


def test_elsewhere_nothing_becomes_immortal(tmp_path: Path) -> None:
    """Compiled for another version, the module loads, says that it is not proved, and leaves all as it is."""
    version = sysconfig.get_python_version()
    if version in PROVED:
        pytest.skip(f"Python {version} is proved")
    told, _ = run(sys.executable, compiled(sysconfig.get_path("include"), tmp_path), "keep")
    assert (told["proved"], told["made"], told["same"]) == (0, 0, False)
    assert not immortal.IS_PROVED
    assert immortal.keep_modules() == 0


def test_the_module_is_compiled_and_proved_where_it_should_be() -> None:
    """An installation with a compiler has it."""
    assert (sysconfig.get_python_version() in PROVED) == immortal.IS_PROVED


def test_without_a_compiled_module_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then jobs take more memory, and that is all."""
    monkeypatch.setattr(immortal, "IS_PROVED", False)
    assert immortal.keep_modules() == 0


@pytest.mark.parametrize("shares", [True, False])
def test_only_a_fleet_that_shares_makes_modules_immortal(
    monkeypatch: pytest.MonkeyPatch, shares: bool
) -> None:
    """The garbage collector leaves alone what is loaded, in either case."""
    monkeypatch.setattr(immortal, "keep_modules", lambda: 7)
    try:
        assert immortal.freeze(shares=shares) == (7 if shares else 0)
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()
