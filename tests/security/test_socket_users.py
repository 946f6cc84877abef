"""Other accounts at the control socket: members of two groups, and strangers."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from grp import getgrnam
from pathlib import Path
from typing import Any

import pytest
from harness.programs.fleet import Fleet, fleet

OPERATORS, READERS = "operator", "users"
"""Groups that every Debian has."""

STRANGER = 64123
"""A uid, and a gid, that nobody has."""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that every account can enter."""
    made = Path(tempfile.mkdtemp(dir="/tmp"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


def ask_as(made: Fleet, group: str, command: str, **arguments: object) -> dict[str, Any]:
    """What a stranger in that group, if it is not empty, gets for a command."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.chdir(made.directory)
            os.setgroups([getgrnam(group).gr_gid] if group else [])
            os.setgid(STRANGER)
            os.setuid(STRANGER)
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.connect("run/tdsup.sock")
                # Who may not ask is told so, perhaps before he has asked.
                with contextlib.suppress(BrokenPipeError):
                    connection.sendall(json.dumps({"cmd": command, "args": arguments}).encode() + b"\n")
                os.write(writer, connection.makefile("rb").readline())
        except OSError as error:
            os.write(writer, json.dumps({"error": {"message": type(error).__name__}}).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with open(reader, "rb") as answer:  # noqa: PTH123 (a descriptor)
        found: dict[str, Any] = json.loads(answer.read())
    os.waitpid(child, 0)
    return found


def message(reply: dict[str, Any]) -> str:
    """Why somebody is refused."""
    return str(reply["error"]["message"])


def started(made: Fleet) -> Fleet:
    """The fleet, with one job at work."""
    made.write_job("orders")
    made.start()
    made.wait_for("orders", state="running")
    return made


def test_without_a_group_only_the_fleet_s_account_and_root_connect(folder: Path) -> None:
    """Nobody else reaches the socket."""
    with fleet(folder) as made:
        started(made)
        assert (made.directory / "run" / "tdsup.sock").stat().st_mode & 0o777 == 0o600
        assert message(ask_as(made, OPERATORS, "status")) == "PermissionError"


def test_members_of_the_socket_s_group_operate(folder: Path) -> None:
    """They may all that the fleet's account may; others cannot connect."""
    with fleet(folder, socket_group=OPERATORS) as made:
        started(made)
        assert ask_as(made, OPERATORS, "status")["ok"]
        assert ask_as(made, OPERATORS, "pause", jobs=["orders"])["data"]["changed"] == ["orders"]
        assert f'uid {STRANGER} asks: pause {{"jobs": ["orders"]}}' in made.log()
        assert message(ask_as(made, READERS, "status")) == "PermissionError"
        assert message(ask_as(made, "", "status")) == "PermissionError"


def test_readers_change_nothing(folder: Path) -> None:
    """They see; what they ask beyond is refused, and told in the log. Strangers are sent away."""
    with fleet(folder, socket_group=OPERATORS, socket_readers=READERS) as made:
        started(made)
        assert ask_as(made, READERS, "status")["ok"]
        for command, arguments in (("stop", {}), ("pause", {"jobs": ["orders"]}), ("reload", {})):
            reply = ask_as(made, READERS, command, **arguments)
            assert reply["error"]["code"] == "forbidden"
            assert message(reply) == (
                f"cannot {command}: uid {STRANGER} may only read; members of group {OPERATORS} may"
            )
        assert f"WARNING uid {STRANGER} may not ask: stop {{}}" in made.log()
        assert message(ask_as(made, "", "status")) == (
            f"cannot serve uid {STRANGER}: members of group {OPERATORS} may"
        )
        assert ask_as(made, OPERATORS, "rotate")["ok"]
        assert made.job("orders")["state"] == "running"


def test_readers_alone_connect_by_their_group(folder: Path) -> None:
    """The socket is theirs, and no more than reading."""
    with fleet(folder, socket_readers=READERS) as made:
        started(made)
        assert ask_as(made, READERS, "metrics")["ok"]
        assert message(ask_as(made, READERS, "stop")) == (
            f"cannot stop: uid {STRANGER} may only read; its own account and root may"
        )
        assert message(ask_as(made, OPERATORS, "status")) == "PermissionError"


def test_a_group_that_is_none_ends_the_start(tmp_path: Path) -> None:
    """By a line that names the key, and a status that no restart mends."""
    with fleet(tmp_path, socket_group="nobody-has-it") as made:
        assert made.said("start") == (
            78,
            "",
            "cannot load tdsup.yaml: socket_group: there is no group nobody-has-it\n",
        )
