"""The web child's way to the master."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ..errors import Refused, TdsupError

ANSWER_TIMEOUT = 5.0
"""Seconds for the master to answer; it takes milliseconds."""

ANSWER_LIMIT = 67108864
"""Bytes of one answer; that of a large fleet is a hundred times smaller."""

NOTHING: Mapping[str, Any] = MappingProxyType({})


class MasterLink:
    """Asks the master like any client, with one connection for each request.

    Args:
        control: path of the control socket.
    """

    def __init__(self, control: str) -> None:
        self._control = control

    async def ask(self, command: str, arguments: Mapping[str, Any] = NOTHING) -> Any:
        """The data of the answer to a command.

        Raises:
            Refused: the master refuses the command.
            TdsupError: the master does not answer.
        """
        request = json.dumps({"cmd": command, "args": dict(arguments)}).encode() + b"\n"
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT):
                reader, writer = await asyncio.open_unix_connection(self._control, limit=ANSWER_LIMIT)
                with contextlib.closing(writer):
                    writer.write(request)
                    reply = json.loads(await reader.readline())
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else None
            raise TdsupError(f"cannot reach the master: {reason or 'no answer'}") from error
        if not reply["ok"]:
            raise Refused(reply["error"]["code"], reply["error"]["message"])
        return reply["data"]
