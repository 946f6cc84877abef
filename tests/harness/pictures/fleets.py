"""Fleets worth a picture: small and large ones, all well and much broken."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle, islice
from typing import Any

from harness.programs.web import a_job

NAMES = ("orders", "clicks", "payments_eu", "stock", "customers.address_changes")

LETTERS = [
    {
        "id": number,
        "event": 90000 + number,
        "died": "2026-01-31 09:14:07+00",
        "type": "I",
        "table": "public.stock",
        "sqlstate": state,
        "reason": reason,
    }
    for number, (state, reason) in enumerate(
        (
            ("22P02", 'invalid input syntax for type integer: "many"'),
            ("", "no value for created, by which stock is partitioned"),
            ("23514", 'new row for relation "stock" violates check constraint "stock_amount_check"'),
        ),
        41,
    )
]
"""Dead letters, as a job lists them."""

LOG = [
    f"2026-01-31 09:14:{second:02} INFO batch {7000 + second}: {1000 - 7 * second} events, 3 dead letters"
    for second in range(60)
]
"""The lines of a log."""

CONNECT = (
    'cannot connect to the target database: connection to server at "db2.example.com" (10.0.7.21), port 5432 '
    "failed: Connection refused. Is the server running there? (dst_db)"
)

BLOCKED = (
    "cannot load orders: no table public.orders and no part_template; make the table, or set part_template, "
    "then: tdsup start-job orders"
)

HELD_UP = (
    "has waited for a lock on public.orders in the target database for 1m34s: pid 4711 (user etl, "
    "nightly_report, idle in transaction) has it; pg_terminate_backend ends that; its last statement: "
    "lock table orders"
)

PAUSED = "paused; kept over restarts"

NEVER_RAN: dict[str, object] = {
    "pid": None,
    "events_per_second": 0.0,
    "lag": None,
    "events": 0,
    "rows": 0,
    "dead_letters_kept": None,
    "batches": 0,
    "partitions": 0,
}

TROUBLES: tuple[dict[str, object], ...] = (
    {"state": "running"},
    {"state": "backoff", "pid": None, "reason": CONNECT, "retry_in": 24.0, "restarts": 7, "lag": 4210.0},
    {"state": "blocked", "reason": BLOCKED, **NEVER_RAN},
    {"state": "running", "held_up": 1, "lag": 94.0, "reason": HELD_UP},
    {"state": "running", "dead_letters": 1234, "dead_letters_kept": 1208, "lag": 0.3},
    {"state": "running", "last_error": "killed by SIGKILL", "last_error_age": 7261.0, "restarts": 1},
    {"state": "standby", "reason": "db1.example.com (pid 812) works for it", **NEVER_RAN, "pid": 915},
    {"state": "paused", "reason": PAUSED, "events_per_second": 0.0},
    {"state": "stopped", "pid": None, "events_per_second": 0.0},
    {"state": "starting", "reason": "", **NEVER_RAN, "pid": 4711},
    {"state": "blocked", "reason": "cannot load conf.d/stock.ini: [table_dispatcher] dst_db: required"}
    | NEVER_RAN
    | {"log": None, "type": None},
)


def fleet_of(number: int, *, broken: bool) -> list[dict[str, Any]]:
    """So many jobs: all of them well, or every trouble in turn."""
    troubles = TROUBLES if broken else TROUBLES[:1]
    return [
        a_job(name, **{**_work(place), **trouble})
        for place, (name, trouble) in enumerate(zip(_names(number), cycle(troubles), strict=False))
    ]


def _names(number: int) -> Sequence[str]:
    names = enumerate(islice(cycle(NAMES), number))
    return [name if place < len(NAMES) else f"{name}_{place}" for place, name in names]


def _work(place: int) -> dict[str, Any]:
    """Numbers of a job that works, large and small."""
    rows = 37 * 11 ** (place % 7)
    return {
        "since": 75.2 + 4000.0 * place,
        "events_per_second": (0.0, 3.4, 215.0, 18400.0)[place % 4],
        "lag": (0.4, 1.2, 0.0, 17.0)[place % 4],
        "events": rows,
        "rows": rows,
        "partitions": (0, 3, 40, 365)[place % 4],
    }


def status_of(jobs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What a master answers."""
    master = {"pid": 4242, "uptime": 93784.5, "version": "0.1.0"}
    return {"jobs": list(jobs), "master": master, "web": "127.0.0.1:9867", "web_error": ""}
