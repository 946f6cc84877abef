"""The container's start command, as its user on a read-only root, and what the Containerfile promises."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

from harness.containers.contained import Mounts, ends_at_once
from harness.containers.containerfile import containerfile
from harness.containers.trial import mounts_for, try_out
from harness.paths import ROOT
from tdsup.sandbox import Sandbox

from script.shop import Shop

FOLDER = ROOT / "deploy" / "container"


def test_the_image_is_made_in_two_stages() -> None:
    """Of the first, which has a compiler, only the installed program gets into the second."""
    made = containerfile()
    assert made.bases == ["docker.io/library/debian:bookworm-slim"] * 2
    copied = made.all("COPY")
    assert copied == [
        "--from=build /opt/tdsup /opt/tdsup",
        "deploy/container/tdsup.yaml /etc/tdsup/tdsup.yaml",
    ]
    assert not made.all("ADD")
    assert not [each for each in made.all("RUN") if "gcc" in each]


def test_the_image_holds_no_secret_and_runs_as_nobody() -> None:
    """Its user is a number and not root's; all of its commands are lists, with no shell in between."""
    made = containerfile()
    assert min(made.user) > 0
    assert not made.all("ARG")
    assert not [key for key in made.environment if re.search("PASS|SECRET|TOKEN|KEY", key)]
    assert made.start == ["tdsup", "-C", "/etc/tdsup", "start"]
    assert made.last("STOPSIGNAL") == "SIGTERM"


def test_only_what_the_image_needs_is_sent_to_the_engine() -> None:
    """What .containerignore lets through is what the Containerfile copies."""
    lines = (ROOT / ".containerignore").read_text().splitlines()
    assert "*" in lines
    copies = [
        words.split()[:-1]
        for stage in containerfile().stages
        for word, words in stage
        if word == "COPY" and "--from" not in words
    ]
    assert {line[1:] for line in lines if line.startswith("!")} == {name for each in copies for name in each}


def test_the_fleet_of_the_image_moves_events_and_ends_its_batch(tmp_path: Path) -> None:
    """On a read-only root the demo's jobs load, the health check passes, and SIGTERM ends with 0."""
    with Sandbox() as box, contextlib.closing(Shop(box, 200)) as shop:
        mounts = mounts_for(tmp_path, box)
        (tmp_path / "root").mkdir()
        try_out(tmp_path / "root", mounts, shop)


def test_a_wrong_setting_ends_the_container_with_78(tmp_path: Path) -> None:
    """An orchestrator is told, and so is who reads the log."""
    (tmp_path / "root").mkdir()
    (tmp_path / "empty").mkdir()
    settings = tmp_path / "tdsup.yaml"
    settings.write_text("nonsense: 1\n")
    code, said = ends_at_once(tmp_path / "root", Mounts(settings, tmp_path / "empty", tmp_path / "empty"))
    assert code == 78, said
    assert "cannot load tdsup.yaml: nonsense" in said
