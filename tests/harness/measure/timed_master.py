"""``tdsup`` with a stopwatch in the master's loop: how long each callback kept it from serving others.

It measures the thread's processor time, which other programs on the machine do not lengthen.
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
"""File in the fleet's directory where the master writes what it measured when it ends."""


@dataclass(frozen=True)
class Longest:
    """The longest callback.

    Attributes:
        seconds: of processor time.
        what: its name.
        calls: how many callbacks ran.
    """

    seconds: float
    what: str
    calls: int


class TimedLoop(loop.Loop):
    """A loop that measures its callbacks.

    Attributes:
        seconds: of the longest one.
        what: its name.
        calls: how many ran.
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

    def run(self) -> None:
        """Serve, and leave what was measured."""
        super().run()
        longest = Longest(self.seconds, self.what, self.calls)
        Path(FILE).write_text(json.dumps(asdict(longest)), encoding="utf-8")


def use(fleet: Fleet) -> None:
    """Make the fleet's next master a timed one."""
    fleet.program = [sys.executable, "-m", "harness.measure.timed_master"]


def read(fleet: Fleet) -> Longest:
    """What a timed master measured, once it has ended."""
    return Longest(**json.loads((fleet.directory / FILE).read_text(encoding="utf-8")))


def _name(call: Any) -> str:
    function = call.func if isinstance(call, partial) else call
    return str(getattr(function, "__qualname__", function))


def _main() -> int:
    with mock.patch.object(service, "Loop", TimedLoop):
        return cli.main()


if __name__ == "__main__":
    sys.exit(_main())
