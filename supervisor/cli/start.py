"""Starting a fleet."""

from __future__ import annotations

import argparse

from ..config import load_fleet, require_jobs
from ..exits import Exit
from ..protocol import Client
from .daemon import attach, detach
from .speech import name_fleet


def start(options: argparse.Namespace) -> int:
    """Run the fleet in this process, or in the background."""
    settings = load_fleet()
    require_jobs(settings)
    # Only a master needs the modules that its children share.
    from ..service import run_service

    if not options.detach:
        attach("the fleet", lambda ready: run_service(settings, ready, foreground=True))
    detach("the fleet", lambda ready: run_service(settings, ready, foreground=False))
    with Client(settings.socket) as client:
        client.call("version")
    name_fleet(options)
    return Exit.OK
