"""The wheel for any Linux, and the source distribution."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from harness.paths import ROOT


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The wheel and the source distribution, as anybody builds them."""
    folder = tmp_path_factory.mktemp("built")
    done = subprocess.run(
        [ROOT / "script" / "package", "wheel", folder], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return [Path(line) for line in done.stdout.splitlines()[-2:]]


def test_the_wheel_is_for_any_linux(built: list[Path]) -> None:
    """It has what is compiled, and auditwheel finds it fit for the C library that its name tells."""
    wheel = built[0]
    tag = re.search(r"manylinux_2_\d+_x86_64|manylinux_2_\d+_aarch64", wheel.name)
    assert tag, wheel.name
    names = zipfile.ZipFile(wheel).namelist()
    for compiled in ("_fold", "_immortal"):
        assert [name for name in names if re.search(rf"/{compiled}\..*\.so$", name)], compiled
    shown = subprocess.run(
        [sys.executable, "-m", "auditwheel", "show", wheel], capture_output=True, text=True, check=True
    )
    assert f'"{tag[0]}"' in " ".join(shown.stdout.split())


def test_the_source_has_all_that_people_read(built: list[Path]) -> None:
    """Documentation, examples, what deploys it, and its history of changes."""
    with tarfile.open(built[1]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    wanted = [
        "CHANGELOG.md",
        "LICENSE",
        "README.md",
        "conf.d/orders.ini",
        "docs/fleet.md",
        "deploy/debian/rules",
    ]
    assert [name for name in wanted if name not in names] == []
    assert [name for name in names if name.endswith((".so", ".pyc"))] == []


def test_what_is_to_be_built_has_to_be_said() -> None:
    """A wrong word is told, with the right ones."""
    done = subprocess.run([ROOT / "script" / "package", "rpm"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == ("package: cannot tell what to build (usage: script/package deb|wheel [FOLDER])\n")
