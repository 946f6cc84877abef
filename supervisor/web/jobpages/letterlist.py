"""The dead letters of a job, with their reasons.

They are in the job's target database, and the web child has no way there. So it asks the command
``tdsup dead-letters``, which has the job type look.
"""

from __future__ import annotations

import asyncio
import json
import shlex
import sys
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path
from typing import Any

from tdsup.jobtype import printable

from ...errors import TdsupError
from ...redact import redact

LIMIT = 100
"""Dead letters that are listed at most."""

PATIENCE = 17.0
"""Seconds for a list, its turn included: fewer than a client has for its answer."""

BYTES = 1048576
"""Bytes that the command may print; a producer chooses the names in a list."""

FIELDS = ("id", "died", "type", "table", "sqlstate", "reason")
"""What is told of each."""

PROGRAM = """
import ctypes, signal, sys
# PR_SET_PDEATHSIG: it ends with the web child, however that ends.
ctypes.CDLL(None).prctl(1, signal.SIGKILL)
from tdsup.supervisor.cli.tdsup import main
sys.exit(main())
"""


class LetterList:
    """Lists dead letters, for one client at a time."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()

    async def read(self, job: str) -> dict[str, Any]:
        """The first `LIMIT` dead letters of a job, and the commands that deal with them.

        Args:
            job: name of a job of this fleet.

        Raises:
            TdsupError: they cannot be listed.
        """
        try:
            async with asyncio.timeout(PATIENCE), self._turn:
                lines = await _listed(job)
        except TimeoutError as error:
            raise TdsupError(_cannot(job, f"no answer within {PATIENCE:.0f} s")) from error
        letters = [_letter(job, line) for line in lines]
        prefix = printable(shlex.join(["tdsup", "-C", str(Path.cwd()), "dead-letters", job]))
        show = [f"{prefix} show {letters[0]['id']}"] if letters else []
        return {
            "letters": letters,
            "limit": LIMIT,
            "commands": [*show, f"{prefix} replay", f"{prefix} purge --all"],
        }


async def _listed(job: str) -> list[bytes]:
    """The lines of the list."""
    options = ["-C", ".", "dead-letters", "--json", "--limit", str(LIMIT)]
    # -P: a module in the fleet's directory is none of ours.
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-c", PROGRAM, *options, "--", job, "list"),
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        said, faults = await asyncio.gather(_bounded(job, process.stdout), _bounded(job, process.stderr))
        code = await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if code:
        told = faults.decode("utf-8", "backslashreplace").strip().rpartition("\n")[2]
        raise TdsupError(printable(redact(told)) or _cannot(job, f"the command ended with {code}"))
    return said.splitlines()


async def _bounded(job: str, stream: asyncio.StreamReader) -> bytes:
    """All of a stream, if it is no more than `BYTES`."""
    found = b""
    while block := await stream.read(BYTES):
        found += block
        if len(found) > BYTES:
            raise TdsupError(
                _cannot(job, f"it is longer than {BYTES} bytes; tdsup dead-letters {job} list shows it")
            )
    return found


def _letter(job: str, line: bytes) -> dict[str, str]:
    """One dead letter, as text that can be shown."""
    try:
        told = json.loads(line)
        return {field: printable(str(told[field])) for field in FIELDS}
    except (ValueError, TypeError, KeyError) as error:
        raise TdsupError(_cannot(job, "its job type tells them in another form")) from error


def _cannot(job: str, reason: str) -> str:
    return f"cannot list dead letters of {printable(job)}: {reason}"
