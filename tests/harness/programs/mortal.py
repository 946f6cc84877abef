"""``table_dispatcher job.ini`` that kills itself at crash points of its work, and is started again at once.

It runs as a program of its own, ``python -m harness.programs.mortal FOLDER QUOTA SEED``, in the directory of
the job's file. FOLDER gets a file for each death; it is shared by the processes of a consumer. Once it has a
file called ``enough`` they die no more. Crash points are put around the real program in the child only.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from psycopg2.extensions import cursor as Cursor
from tdsup.dispatcher.ledger import DeadLetters, Position
from tdsup.dispatcher.pgq import Queue
from tdsup.dispatcher.postgres import connection as connections
from tdsup.dispatcher.postgres import queries
from tdsup.dispatcher.postgres.copywatch import WatchedConnection
from tdsup.supervisor.cli.table_dispatcher import main

ENOUGH = "enough"
"""Name of the file that ends the dying."""

AGAIN = 0.5
"""How likely a process dies at a point where others have died already; at a new one it is certain."""

ON_THE_WAY = 0.0003
"""Seconds after which a statement has been sent and is perhaps not answered yet."""


class Fate:
    """Decides where this process dies.

    Args:
        folder: gets a file for each death.
        quota: most deaths at one point.
        seed: of the chances.
    """

    def __init__(self, folder: Path, quota: int, seed: int) -> None:
        self._folder = folder
        self._quota = quota
        self._chance = random.Random(seed)  # noqa: S311 (repeatable chances)
        self._phase = "start"
        # The last statement on the target names the commit that follows.
        self._last = ""

    @contextlib.contextmanager
    def around(self, step: str) -> Iterator[None]:
        """A step with its crash points: before, while it is on the way, after."""
        if step == "next_batch":
            self._phase = "batch"
        step = f"{self._phase} {step}"
        if self._dies(f"before {step}"):
            _die()
        # What is done only once is not left to chance.
        if self._phase == "batch" and self._dies(f"amid {step}"):
            threading.Thread(target=_die, args=(ON_THE_WAY,)).start()
        yield
        if self._dies(f"after {step}"):
            _die()

    def statement(self, cursor: Cursor, names: tuple[str, ...]) -> contextlib.AbstractContextManager[None]:
        """The points of a statement; several in one round trip are known by the last that writes."""
        last = next((name for name in reversed(names) if name != "users_names"), names[-1])
        if isinstance(cursor.connection, WatchedConnection):
            self._last = last
        return self.around(last)

    def begin(self) -> contextlib.AbstractContextManager[None]:
        """The points of the statements that begin a batch, which are bound once."""
        self._last = "begin"
        return self.around(self._last)

    def commit(self) -> contextlib.AbstractContextManager[None]:
        """The points of a commit on the target."""
        return self.around(f"commit of {self._last}")

    def _dies(self, point: str) -> bool:
        if (self._folder / ENOUGH).exists():
            return False
        for number in range(self._quota):
            path = self._folder / f"{point}.{number}"
            if not path.exists():
                if number and self._chance.random() > AGAIN:
                    return False
                with contextlib.suppress(FileExistsError):
                    path.touch(exist_ok=False)
                    return True
        return False


def _die(seconds: float = 0) -> None:
    time.sleep(seconds)
    os.kill(os.getpid(), signal.SIGKILL)


def _put_around(fate: Fate) -> None:
    """Put crash points around what the program does."""
    plain = queries.run

    def run(cursor: Cursor, *names: str, **others: Any) -> None:
        with fate.statement(cursor, names):
            plain(cursor, *names, **others)

    class Mortal(WatchedConnection):
        def commit(self) -> None:
            with fate.commit():
                super().commit()

        def __exit__(
            self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
        ) -> None:
            with fate.commit() if kind is None else contextlib.nullcontext():
                super().__exit__(kind, error, trace)

    def around(owner: type, name: str, points: Callable[[], contextlib.AbstractContextManager[None]]) -> None:
        method: Callable[..., Any] = getattr(owner, name)

        def wrapped(*arguments: Any, **others: Any) -> Any:
            with points():
                return method(*arguments, **others)

        setattr(owner, name, wrapped)

    queries.run = run
    vars(connections)["WatchedConnection"] = Mortal
    around(Queue, "stream", lambda: fate.around("stream"))
    around(DeadLetters, "write", lambda: fate.around("dead letters"))
    around(Position, "begin", fate.begin)


def live(folder: Path, quota: int, seed: int) -> int:
    """Run the program in a child, again after each death; returns the status of the first other end."""
    starter = os.getppid()
    for number in itertools.count():
        if os.getppid() != starter:
            break
        child = os.fork()
        if not child:
            _put_around(Fate(folder, quota, seed + number))
            os._exit(main(["job.ini"]))
        _pid, status = os.waitpid(child, 0)
        if not (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL):
            return os.waitstatus_to_exitcode(status)
    return 0


if __name__ == "__main__":
    sys.exit(live(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
