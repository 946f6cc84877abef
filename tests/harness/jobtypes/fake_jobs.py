"""Job types without a database: one counts, and fails in every way that a test asks for."""

from __future__ import annotations

import ctypes
import itertools
import os
import signal
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import AliasChoices, BaseModel, Field
from tdsup.jobtype import Action, Condition, Context, Metric, Order, Snapshot, no_effect

TICK = 0.05
"""Seconds between two reports."""


class SleeperSettings(BaseModel):
    """What a sleeper can be told to do."""

    job_name: str
    behave: str = Field(default="work", description="What to do, a key of BEHAVIOURS.")
    after: float = Field(default=0.0, ge=0, description="Seconds of work before that.")
    step: int = Field(default=1, description="Events of one report.")
    queue: str = Field(default="", validation_alias=AliasChoices("pgq_queue", "queue"))
    table: str = Field(default="", description="What it fills.")
    line: str = Field(default="", description="Something to write.")
    times: int = Field(default=1, description="How often to write it.")
    pace: str = Field(default="", description="A pipe; each byte allows `times` lines.")
    tick: float = Field(default=TICK, gt=0, description="Seconds between two reports.")
    src_db: str = Field(default="", max_length=40, description="Connection string, which is never shown.")
    unused: int = Field(default=0, json_schema_extra=no_effect("it sleeps"))


class SetupError(Exception):
    """What a job raises when a restart is pointless."""

    exit_code = 78


def _work(settings: SleeperSettings, context: Context, count: int = 0) -> None:
    while not context.wait(settings.tick):
        count += settings.step
        _report(context, count)


def _report(context: Context, count: int, condition: Condition = Condition.RUNNING, reason: str = "") -> None:
    values = {"events": count, "rows": count, "depth": 7, "lag": time.monotonic()}
    context.report(Snapshot(condition, reason, values))


def _crash(_settings: SleeperSettings, _context: Context) -> None:
    raise RuntimeError("on purpose")


def _setup(_settings: SleeperSettings, _context: Context) -> None:
    raise SetupError(
        "cannot load orders: no table orders and no part_template\nin two lines, password=hunter2"
    )


def _exit(_settings: SleeperSettings, _context: Context) -> None:
    os._exit(5)


def _deaf(_settings: SleeperSettings, context: Context) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    context.logger.info("deaf")
    while True:
        time.sleep(1)


def _stubborn(_settings: SleeperSettings, context: Context) -> None:
    context.logger.info("stubborn")
    while True:
        time.sleep(1)


def _deadlock(library: ctypes.CDLL) -> None:
    """Wait for ever in a C function that no signal interrupts: lock a mutex twice."""
    mutex = ctypes.create_string_buffer(64)
    library.pthread_mutex_lock(mutex)
    library.pthread_mutex_lock(mutex)


def _long_call(_settings: SleeperSettings, context: Context) -> None:
    context.logger.info("calling C")
    _deadlock(ctypes.CDLL(None))


def _freeze(_settings: SleeperSettings, context: Context) -> None:
    context.logger.info("calling C and keeping the interpreter's lock")
    _deadlock(ctypes.PyDLL(None))


def _write(settings: SleeperSettings, context: Context) -> None:
    for number in range(settings.times):
        context.logger.info("%s %d", settings.line, number)
        os.write(1, f"stdout {number}\n".encode())
        os.write(2, f"stderr {number}\n".encode())
    ctypes.CDLL(None).puts(b"from a C library")
    ctypes.CDLL(None).fflush(None)
    _work(settings, context)


def _lines(settings: SleeperSettings, context: Context) -> None:
    numbers = itertools.count()
    with Path(settings.pace).open("rb", buffering=0) as allowances:
        while allowances.read(1):
            for number in itertools.islice(numbers, settings.times):
                context.logger.info("%s", settings.line.format(number))


def _retry(_settings: SleeperSettings, context: Context) -> None:
    _report(context, 0, Condition.RETRYING, "cannot connect: refused")
    while not context.wait(1):
        pass


def _standby(_settings: SleeperSettings, context: Context) -> None:
    _report(context, 0, Condition.STANDBY, "another one works")
    while not context.wait(1):
        pass


def _slow_end(settings: SleeperSettings, context: Context) -> None:
    _work(settings, context)
    time.sleep(0.5)


def _done(_settings: SleeperSettings, _context: Context) -> None:
    return


BEHAVIOURS: dict[str, Callable[[SleeperSettings, Context], None]] = {
    "work": _work,
    "crash": _crash,
    "setup": _setup,
    "exit": _exit,
    "deaf": _deaf,
    "stubborn": _stubborn,
    "long_call": _long_call,
    "freeze": _freeze,
    "write": _write,
    "lines": _lines,
    "retry": _retry,
    "standby": _standby,
    "slow_end": _slow_end,
    "done": _done,
}


def _action(name: str, text: str) -> Action:
    """An action that tells what it would do; an argument or a line ``bad`` fails."""

    def run(settings: SleeperSettings, arguments: Sequence[str]) -> Iterable[str]:
        if "bad" in arguments or settings.line == "bad":
            raise SetupError(f"cannot {name} {settings.job_name}: it is bad")
        yield " ".join([name, settings.job_name, *arguments])

    return Action(name, text, run)


def _list(settings: SleeperSettings, arguments: Sequence[str]) -> Iterable[str]:
    """For programs, what it was told to write."""
    shows = "json" in arguments and settings.line != "bad"
    return settings.line.splitlines() if shows else _action("list", "").run(settings, arguments)


class Alone:
    """Nobody looks for its news."""

    def watched(self, _settings: Any) -> Mapping[str, str]:
        """Nothing."""
        return {}

    def watch(self, what: str, jobs: Mapping[str, Any], context: Any) -> None:
        """Never called."""


class Sleeper(Alone):
    """The job type."""

    settings = SleeperSettings
    metrics = (
        Metric("events", "counter", "Events seen"),
        Metric("rows", "counter", "Rows written"),
        Metric("depth", "gauge", "How deep"),
        Metric("lag", "age", "How late"),
    )

    actions = (
        _action("register", "Register it."),
        Action("list", "List what it has.", _list),
        _action("replay", "Do it again."),
        *(_action(name, "Do it.") for name in ("rewind", "skip", "takeover", "retire")),
        *(_action(name, "Tell it.") for name in ("consumers", "schema")),
    )
    orders: Sequence[Order] = ()
    about: str = ""

    def labels(self, settings: Any) -> Mapping[str, str]:
        """Constant labels."""
        return {"queue": settings.queue or "q", "table": "t"}

    def claims(self, settings: Any) -> Mapping[str, str]:
        """A queue, if it has one."""
        return {"queue": f"the queue {settings.queue}"} if settings.queue else {}

    def shares(self, settings: Any) -> Mapping[str, str]:
        """A table, if it has one."""
        return {"table": f"the table {settings.table}"} if settings.table else {}

    def sources(self, settings: Any) -> Sequence[str]:
        """A database, if it has one."""
        return [settings.src_db] if settings.src_db else []

    def targets(self, settings: Any) -> Sequence[str]:
        """A table, if it has one."""
        return [settings.table] if settings.table else []

    def reads(self, settings: Any) -> Sequence[tuple[str, str]]:
        """A queue, if it has one, by its own name."""
        return [(settings.queue, settings.job_name)] if settings.queue else []

    def leaving(self, settings: Any) -> str:
        """A queue, if it has one."""
        return f"queue {settings.queue}: run there: close {settings.queue}" if settings.queue else ""

    def run(self, settings: Any, context: Context) -> None:
        """Work for `after` seconds, then behave as told."""
        count, end = 0, time.monotonic() + settings.after
        if settings.behave != "setup":
            _report(context, count)
        while time.monotonic() < end:
            count += settings.step
            _report(context, count)
            if context.wait(TICK):
                return
        BEHAVIOURS[settings.behave](settings, context)


class NapperSettings(BaseModel):
    """What a napper can be told to do."""

    job_name: str
    nap: float = Field(default=TICK, gt=0, description="Seconds between two reports.")


class Napper(Alone):
    """Another job type, so that one file can have jobs of two: it counts naps, and never fails."""

    settings = NapperSettings
    metrics = (Metric("naps", "counter", "Naps taken"),)
    actions: Sequence[Action] = ()
    orders: Sequence[Order] = ()
    about: str = ""

    def labels(self, _settings: Any) -> Mapping[str, str]:
        """None."""
        return {}

    def claims(self, _settings: Any) -> Mapping[str, str]:
        """Nothing."""
        return {}

    def shares(self, _settings: Any) -> Mapping[str, str]:
        """Nothing."""
        return {}

    def sources(self, _settings: Any) -> Sequence[str]:
        """None."""
        return []

    def targets(self, _settings: Any) -> Sequence[str]:
        """None."""
        return []

    def reads(self, _settings: Any) -> Sequence[tuple[str, str]]:
        """Nothing."""
        return []

    def leaving(self, _settings: Any) -> str:
        """Nothing."""
        return ""

    def run(self, settings: Any, context: Context) -> None:
        """Take naps until asked to end."""
        naps = itertools.count()
        while True:
            context.report(Snapshot(Condition.RUNNING, values={"naps": next(naps)}))
            if context.wait(settings.nap):
                return


SLEEPER = Sleeper()
NAPPER = Napper()
