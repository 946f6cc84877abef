"""Commands of the pages on how to run a fleet: each is run, or known to need what is not here."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.containers.manifests import KUBERNETES, render
from harness.pages import commands
from harness.paths import ROOT, TDSUP

PAGES = ("container.md", "kubernetes.md")

ELSEWHERE = {
    "script/package deb": "test_package.py",
    "apt install ./dist/tdsup_*.deb": "test_package.py, by dpkg, which asks no network",
    "apt remove tdsup": "the same",
    "apt purge tdsup": "the same",
    "script/package wheel": "test_wheel_for_all.py",
    "pip install dist/tdsup-*.whl": "acceptance/test_wheel.py, with a wheel of pip's",
}
"""Commands of packages.md, and where they are run."""

NEEDS_AN_ENGINE = ("podman build", "podman run", "podman exec", "podman logs")
"""No engine is here: `deploy/container/try` builds, `test_container.py` runs."""

NEEDS_A_CLUSTER = ("create secret", "rollout status", "exec", "logs", "port-forward")
"""After ``kubectl -n tdsup``; names and labels are those of the manifests."""


def _of(word: str) -> Iterator[str]:
    return (line for page in PAGES for line in commands(page) if line.startswith(word))


def test_commands_of_packages_are_run_where_they_take_long() -> None:
    """By the tests that build and install them."""
    assert set(commands("packages.md")) == set(ELSEWHERE)


@pytest.mark.parametrize("line", commands("prometheus.md"))
def test_rules_are_checked_as_the_page_says(line: str) -> None:
    """In the checkout."""
    done = subprocess.run(line.split(), cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_command_is_known() -> None:
    """None is on a page that no test here looks at."""
    known = (*NEEDS_AN_ENGINE, *(f"kubectl -n tdsup {each}" for each in NEEDS_A_CLUSTER))
    rest = [line for page in PAGES for line in commands(page) if not line.startswith(known)]
    assert {line.split()[0] for line in rest} == {"mkdir", "printf", "chmod", "kubectl", "tdsup"}


@pytest.mark.parametrize("line", [*_of("podman run"), *_of("podman exec"), *_of("kubectl -n tdsup exec")])
def test_what_is_run_inside_exists(line: str) -> None:
    """Tdsup has such a command with such options."""
    said = re.search(r" tdsup(?: -C /etc/tdsup)?(?: (check --connect|status))?$", line)
    assert said, line
    words = (said[1] or "start").split()
    done = subprocess.run([TDSUP, *words, "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_files_are_where_the_image_is_built_from() -> None:
    """Folders and Containerfile that engines are told exist."""
    (line,) = _of("podman build")
    assert (ROOT / line.split(" -f ")[1].split()[0]).is_file()


@pytest.mark.parametrize("line", [*_of("kubectl kustomize"), *_of("kubectl apply")])
def test_overlays_that_are_named_are_made(line: str) -> None:
    """By kustomize, as kubectl would."""
    assert render(ROOT / line.split()[-1])


def test_credentials_are_written_as_the_page_says(tmp_path: Path) -> None:
    """By root, for the image's group alone."""
    lines = [line for word in ("mkdir", "printf", "chmod") for line in _of(word)]
    subprocess.run(["sh", "-euc", "\n".join(lines)], cwd=tmp_path, check=True)
    made = (tmp_path / "credentials" / "pg_service.conf").stat()
    assert (made.st_mode & 0o777, made.st_gid) == (0o640, 10001)


def test_jobs_of_an_overlay_are_looked_at_first() -> None:
    """Those of both overlays are sound."""
    (line,) = _of("tdsup")
    environment = {**os.environ, "PATH": f"{TDSUP.parent}:{os.environ['PATH']}"}
    for overlay in (KUBERNETES / "overlays").iterdir():
        asked = line.replace("production", overlay.name)
        done = subprocess.run(
            asked.split(), cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
