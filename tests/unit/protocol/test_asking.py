"""Asking a master: what can be asked, and what becomes of it."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from tdsup.supervisor.errors import Refused
from tdsup.supervisor.protocol import COMMANDS, Client


def test_a_client_that_is_sent_away_before_it_asks_is_told_why(tmp_path: Path) -> None:
    """The reply that was there first counts, not the broken connection."""
    path = str(tmp_path / "sock")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(path)
        listener.listen()
        with Client(path) as client:
            connection, _address = listener.accept()
            connection.sendall(b'{"ok":false,"error":{"code":"busy","message":"cannot serve you"}}\n')
            connection.close()
            with pytest.raises(Refused, match="cannot serve you"):
                client.call("status")


def test_every_command_is_explained() -> None:
    """Each has a sentence and an example; those for people show their own name."""
    for name, command in COMMANDS.items():
        assert command.help.endswith(".")
        assert name in command.example
