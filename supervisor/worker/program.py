"""Programs that a job has its process run."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from logging import Logger
from pathlib import Path
from shutil import which

from ..redact import redact
from .keeper import BY_SIGNAL

KEEPER = Path(__file__).with_name("keeper.py")
"""Runs the program, and ends it with all that it has started once nobody listens any more."""

PAUSE = 0.2
"""Seconds between two looks whether the job is to end."""

BLOCK = 65536

LONGEST = 1000
"""Bytes of a line of output that are logged."""


def run_program(
    command: Sequence[str],
    environment: Mapping[str, str],
    seconds: float,
    logger: Logger,
    stopping: Callable[[], bool],
) -> str:
    """Run a program; see `Context.run_program`.

    Args:
        command: file and arguments.
        environment: variables besides this process's own.
        seconds: that it may take.
        logger: where its output goes, a line at a time.
        stopping: whether it is to be killed.
    """
    name = Path(command[0]).name
    if (file := which(command[0])) is None:
        return f"there is no program {command[0]}"
    with (
        subprocess.Popen(  # noqa: S603 (the job's file names it)
            [sys.executable, "-I", "-S", str(KEEPER), file, *command[1:]],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environment},
            start_new_session=True,
        ) as keeper
    ):
        reason = _listen(keeper, time.monotonic() + seconds, logger, name, stopping)
    # By now its input has ended, and with it whatever still ran.
    if reason:
        return f"{name} was killed: {reason}"
    if keeper.returncode > BY_SIGNAL:
        return f"{name} was killed by signal {keeper.returncode - BY_SIGNAL}"
    return f"{name} ended with exit status {keeper.returncode}" if keeper.returncode else ""


def _listen(
    keeper: subprocess.Popen[bytes], until: float, logger: Logger, name: str, stopping: Callable[[], bool]
) -> str:
    """Log what a program prints, until it has ended; returns why it must not go on, empty if it has ended."""
    assert keeper.stdout is not None
    output, rest = keeper.stdout.fileno(), b""
    poller = select.poll()
    poller.register(output, select.POLLIN)
    while True:
        if stopping():
            return "the job is to end"
        if time.monotonic() >= until:
            return "it took too long (retention_program_limit)"
        if not poller.poll(PAUSE * 1000):
            continue
        block = os.read(output, BLOCK)
        *lines, rest = (rest + block).split(b"\n")
        if rest and (not block or len(rest) > LONGEST):
            lines, rest = [*lines, rest], b""
        for line in lines:
            logger.info("%s: %s", name, redact(line[:LONGEST].decode("utf-8", "backslashreplace")))
        if not block:
            return ""
