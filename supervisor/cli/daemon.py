"""Giving this process to some work: in the foreground, or in the background once the work is ready."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from typing import NoReturn

from .. import logs
from ..errors import TdsupError
from ..exits import Exit

Run = Callable[[Callable[[], None]], int]
"""Some work; it gets a function to call when it is ready, and returns an exit status."""

_READY = b"\0"
"""What the background process writes when it is ready; anything else is why it could not start."""


def attach(what: str, run: Run) -> NoReturn:
    """Run something in this process, which ends with it.

    No exit handler runs then: multiprocessing's would wait for children that are still there.

    Args:
        what: a name for the work, for messages.
        run: the work.
    """
    _live(what, run, lambda: None, lambda text: print(text, file=sys.stderr))  # noqa: T201 (to its user)


def detach(what: str, run: Run) -> int:
    """Run something in a process of its own, without a terminal; return once it is ready.

    Args:
        what: a name for the work, for messages.
        run: the work.

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
            raise TdsupError(said.decode("utf-8", "replace") or f"cannot run {what}: it died without a word")
        return Exit.OK
    os.close(reader)
    os.setsid()
    # The leader of the session ends here, so no terminal can be acquired later.
    if os.fork():
        os._exit(Exit.OK)
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    os.close(null)
    answer_once = _Answer(writer)
    return _live(what, run, lambda: answer_once.write(_READY), lambda text: answer_once.write(text.encode()))


class _Answer:
    """The background's end of the pipe to the foreground; takes one answer."""

    def __init__(self, writer: int) -> None:
        self._writer: int | None = writer

    def write(self, words: bytes) -> None:
        """Give the answer; later ones are dropped."""
        if self._writer is not None:
            os.write(self._writer, words)
            os.close(self._writer)
            self._writer = None


def _live(what: str, run: Run, ready: Callable[[], None], complain: Callable[[str], None]) -> NoReturn:
    """Do the work, then end the process at once."""
    code: int = Exit.FAILED
    try:
        code = run(ready)
    except TdsupError as error:
        complain(str(error))
        code = error.exit_code
    except KeyboardInterrupt:
        code = Exit.INTERRUPTED
    except Exception as error:
        logging.getLogger("tdsup").exception("cannot go on: a defect of tdsup, please report it")
        complain(f"cannot run {what}: {type(error).__name__}: {error}")
    finally:
        logs.flush_and_exit(code)
