"""Starting a fleet."""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from typing import Any

from tdsup.jobtype import printable

from ..config import load_fleet, require_jobs
from ..exits import Exit
from ..protocol import Client
from .asking.status import summary
from .daemon import attach, detach
from .speech import name_fleet, say

PATIENCE = 1.0
"""Seconds for which a fleet in the background is watched as it starts."""

PAUSE = 0.05
"""Seconds between two looks."""


def start(options: argparse.Namespace) -> int:
    """Run the fleet in this process, or in the background."""
    settings = load_fleet()
    require_jobs(settings)
    # Only a master needs the modules that its children share.
    from ..service import run_service

    if not options.detach:
        attach("the fleet", lambda ready: run_service(settings, ready, foreground=True))
    detach("the fleet", lambda ready: run_service(settings, ready, foreground=False))
    name_fleet(options)
    say(overview(_settled(settings.socket)))
    return Exit.OK


def overview(status: Mapping[str, Any]) -> str:
    """How a fleet has started: its jobs, which of them are blocked, and where its page is; a line each."""
    blocked = [job for job in status["jobs"] if job["state"] == "blocked"]
    lines = [summary(status["jobs"])]
    lines += [printable(f"blocked: {job['name']}: {' '.join(job['reason'].split())}") for job in blocked]
    if address := status["web"]:
        lines.append(f"page: {address if '://' in address else f'http://{address}'}/")
    elif status["web_error"]:
        lines.append(printable(f"web: {status['web_error']}"))
    return "\n".join(lines)


def _settled(socket: str) -> Any:
    """The status once each job is past its beginning and the page is known, or after a while."""
    end = time.monotonic() + PATIENCE
    with Client(socket) as client:
        while True:
            status = client.call("status")
            starting = any(job["state"] == "starting" for job in status["jobs"])
            if time.monotonic() > end or not (starting or not (status["web"] or status["web_error"])):
                return status
            time.sleep(PAUSE)
