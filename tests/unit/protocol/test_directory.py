"""Where a fleet is."""

from __future__ import annotations

from pathlib import Path

import pytest
from tdsup.supervisor.errors import ConfigError
from tdsup.supervisor.protocol import directory
from tdsup.supervisor.protocol.directory import ENVIRONMENT, FILE, SOCKET, control_socket, enter


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the folders here, given, named and usual; here is the working directory."""
    for name in ("here", "given", "named", "usual"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.delenv(ENVIRONMENT, raising=False)
    monkeypatch.setattr(directory, "USUAL", (str(tmp_path / "none"), str(tmp_path / "usual")))
    return tmp_path


def test_what_is_given_comes_first(places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then what the environment names, then the working directory if a fleet is there, then the usual one."""
    fleet = Path("conf.d")
    fleet.mkdir()
    monkeypatch.setenv(ENVIRONMENT, str(places / "named"))
    enter(str(places / "given"))
    assert Path.cwd() == places / "given"
    enter(None)
    assert Path.cwd() == places / "named"
    monkeypatch.delenv(ENVIRONMENT)
    monkeypatch.chdir(places / "here")
    enter(None)
    assert Path.cwd() == places / "here"
    fleet.rmdir()
    Path(FILE).touch()
    enter(None)
    assert Path.cwd() == places / "here"
    Path(FILE).unlink()
    enter(None)
    assert Path.cwd() == places / "usual"


def test_without_any_fleet_one_stays(places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that messages name the working directory."""
    monkeypatch.setattr(directory, "USUAL", (str(places / "none"),))
    enter(None)
    assert Path.cwd() == places / "here"


def test_a_directory_that_is_not_there_is_told(places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the variable that names it."""
    with pytest.raises(ConfigError) as caught:
        enter("none")
    assert str(caught.value) == "cannot enter none: No such file or directory"
    monkeypatch.setenv(ENVIRONMENT, "none")
    with pytest.raises(ConfigError) as caught:
        enter(None)
    assert str(caught.value) == "cannot enter none (TDSUP_DIR): No such file or directory"
    assert places.exists()


@pytest.mark.parametrize(
    ("text", "socket"),
    [
        ("", SOCKET),
        ("jobs: [", SOCKET),
        ("socket_group: dba\n", SOCKET),
        ("socket: /run/f.sock\nweb: {not: valid}\n", "/run/f.sock"),
    ],
)
def test_the_socket_is_found(places: Path, text: str, socket: str) -> None:
    """Whatever else is wrong with the settings: a fleet that runs must answer."""
    assert places.exists()
    Path(FILE).write_text(text)
    assert control_socket() == socket


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("socket: 5\n", "socket: must be a text"),
        ("socket\n", "must be keys with values"),
        ("socket: [\n", "line 2, column 1: "),
    ],
)
def test_a_socket_that_is_not_told_is_a_fault(places: Path, text: str, reason: str) -> None:
    """One line, as of all settings."""
    assert places.exists()
    Path(FILE).write_text(text)
    with pytest.raises(ConfigError, match=f"^cannot load tdsup.yaml: {reason}"):
        control_socket()
