"""Carrying out what comes over the control socket."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from ..errors import BadRequest, Forbidden
from ..protocol import COMMANDS, Fleet
from .peer import Caller

_log = logging.getLogger("tdsup")


def serve(fleet: Fleet, name: str, arguments: Mapping[str, Any], caller: Caller) -> Any:
    """Carry out a command that came over the socket.

    Raises:
        BadRequest: there is no such command, or its arguments are wrong.
        Forbidden: who asks may not change anything.
        TdsupError: the fleet refuses.
    """
    command = COMMANDS.get(name)
    if command is None:
        near = get_close_matches(name, COMMANDS, n=1)
        hint = f", did you mean {near[0]}?" if near else f" (there are: {', '.join(COMMANDS)})"
        raise BadRequest(f"cannot serve {name[:40]!r}: no such command{hint}")
    known = {argument.name: argument for argument in command.arguments}
    for key, value in arguments.items():
        if key not in known:
            raise BadRequest(f"cannot {name}: no such argument: {key[:40]!r}")
        if not known[key].type.fits(value):
            raise BadRequest(f"cannot {name}: {key} is not {known[key].type.value}")
    for argument in command.arguments:
        if argument.required and not arguments.get(argument.name):
            raise BadRequest(f"cannot {name}: {argument.name} is missing")
    if command.changes:
        # A client may send anything as an argument; as JSON it cannot look like a line of the log.
        asked = f"{name} {json.dumps(arguments)}"
        if not caller.may_change:
            _log.warning("uid %d may not ask: %s", caller.uid, asked)
            raise Forbidden(f"cannot {name}: uid {caller.uid} may only read; {caller.others}")
        _log.info("uid %d asks: %s", caller.uid, asked)
    return command.handler(fleet, arguments)
