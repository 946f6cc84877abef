"""Going into the background, with an honest answer in the foreground."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from typing import NoReturn

from .. import logs
from ..errors import TdsupError
from ..exits import Exit

_READY = b"\0"
"""What the background process writes when it answers; anything else is why it could not start."""


def detach(what: str, run: Callable[[Callable[[], None]], int]) -> int:
    """Run something in a process of its own, without a terminal; return once it is ready.

    Args:
        what: it is, for messages.
        run: the work; it gets a function to call when ready, and returns an exit status.

    Returns:
        `Exit.OK`, in the calling process.

    Raises:
        TdsupError: it ended before it was ready, with its reason.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child:
        os.close(writer)
        os.waitpid(child, 0)
        with open(reader, "rb") as answer:  # noqa: PTH123 (a descriptor)
            said = answer.read()
        if said != _READY:
            raise TdsupError(
                said.decode("utf-8", "replace") or f"cannot start {what}: it died without a word"
            )
        return Exit.OK
    os.close(reader)
    os.setsid()
    # The session's leader ends here, hence no terminal can be acquired later.
    if os.fork():
        os._exit(Exit.OK)
    return _live(what, run, writer)


def _live(what: str, run: Callable[[Callable[[], None]], int], writer: int) -> NoReturn:
    """Do the work in the background; does not return."""
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    os.close(null)
    open_writer = [writer]

    def say(words: bytes) -> None:
        while open_writer:
            descriptor = open_writer.pop()
            os.write(descriptor, words)
            os.close(descriptor)

    code: int = Exit.FAILED
    try:
        code = run(lambda: say(_READY))
    except TdsupError as error:
        say(str(error).encode())
    except Exception as error:
        logging.getLogger("tdsup").exception("cannot go on: a defect of tdsup, please report it")
        say(f"cannot start {what}: {type(error).__name__}: {error}".encode())
    finally:
        logs.flush_and_exit(code)
