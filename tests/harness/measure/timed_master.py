"""``tdsup`` with a watch in the master's loop: how long each single callback kept it from serving others.

By the thread's processor time, which other programs on the machine do not lengthen.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

from tdsup.supervisor import loop, service
from tdsup.supervisor.cli import tdsup as cli

from harness.programs.fleet import Fleet

FILE = "longest.json"
"""Where the master leaves what it measured when it ends, in the fleet's directory."""


@dataclass(frozen=True)
class Longest:
    """The callback that took longest.

    Attributes:
        seconds: of processor time.
        what: its name.
        calls: how many callbacks there were.
    """

    seconds: float
    what: str
    calls: int


class TimedLoop(loop.Loop):
    """A loop that measures its callbacks.

    Attributes:
        seconds: of the longest one.
        what: its name.
        calls: how many there were.
    """

    def __init__(self) -> None:
        super().__init__()
        self.seconds, self.what, self.calls = 0.0, "", 0

    def _guard(self, call: Callable[[], None]) -> None:  # type: ignore[override]
        begun = time.thread_time()
        super()._guard(call)
        seconds = time.thread_time() - begun
        self.calls += 1
        if seconds > self.seconds:
            self.seconds, self.what = seconds, _name(call)

    def longest(self) -> Longest:
        """What was measured so far."""
        return Longest(self.seconds, self.what, self.calls)


def use(fleet: Fleet) -> None:
    """Let the fleet's next master be a timed one."""
    fleet.program = [sys.executable, "-m", "harness.measure.timed_master"]


def read(fleet: Fleet) -> Longest:
    """What a timed master that has ended left."""
    return Longest(**json.loads((fleet.directory / FILE).read_text(encoding="utf-8")))


def _name(call: Any) -> str:
    function = call.func if isinstance(call, partial) else call
    return str(getattr(function, "__qualname__", function))


def _main() -> int:
    made = TimedLoop()
    with mock.patch.object(service, "Loop", return_value=made):
        code = cli.main()
    if made.calls:
        Path(FILE).write_text(json.dumps(asdict(made.longest())), encoding="utf-8")
    return code


if __name__ == "__main__":
    sys.exit(_main())
