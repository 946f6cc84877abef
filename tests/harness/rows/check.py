"""A job's check of both databases, run in the test's own process."""

from __future__ import annotations

import re
from collections.abc import Mapping

from psycopg2.extensions import make_dsn
from tdsup.dispatcher.actions import ACTIONS
from tdsup.dispatcher.errors import SetupError

from harness.rows.job import drain, settings_of
from harness.rows.orders import Orders


def examined(keys: Mapping[str, object]) -> tuple[list[str], list[str]]:
    """Facts and faults that the check tells."""
    (action,) = (action for action in ACTIONS if action.name == "check")
    lines: list[str] = []
    summary = ""
    try:
        for line in action.run(settings_of(**keys), ()):
            lines.append(line)  # noqa: PERF402 (what comes before an error counts)
    except SetupError as error:
        summary = str(error)
    faults = [line for line in lines if line.startswith("cannot ")]
    facts = [line for line in lines if line not in faults]
    assert all(line.startswith("job: ") for line in facts)
    counted = re.fullmatch(r"cannot run job: (\d+) faults?, told above", summary)
    assert (int(counted[1]) if counted else 0) == len(faults), summary
    return facts, faults


def fine(keys: dict[str, object]) -> str:
    """The facts, where there are no faults."""
    facts, faults = examined(keys)
    assert faults == []
    return "\n".join(facts)


def faults_of(keys: dict[str, object]) -> list[str]:
    """The faults alone."""
    return examined(keys)[1]


def statements(text: str) -> str:
    """The SQL that was shown."""
    shown = re.findall(r"^job: events:     (.*)$", text, re.MULTILINE)
    assert shown, text
    return "\n".join(shown)


def register(orders: Orders, **changes: object) -> dict[str, object]:
    """Run the job on its empty queue; returns its keys."""
    keys = orders.keys(loop_delay=0, **changes)
    drain(**keys)
    return keys


def as_role(orders: Orders, role: str, **changes: object) -> dict[str, object]:
    """Keys of a job of that role."""
    keys = orders.keys(loop_delay=0, **changes)
    return {**keys, **{key: make_dsn(str(keys[key]), user=role) for key in ("src_db", "dst_db")}}


def mend(orders: Orders, fault: str) -> None:
    """Do what a fault asks for."""
    match = re.fullmatch(r"cannot run job: (\w+): .*run there: (.*)", fault)
    assert match, fault
    where, remedy = match.groups()
    {"source": orders.source, "target": orders.target}[where].execute(remedy)
