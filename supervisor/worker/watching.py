"""The process of a watcher, which looks for news of several jobs."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass

from .. import logs
from ..config import FleetSettings, JobConfig
from ..exits import Exit
from .channel import Sender
from .context import WatcherContext
from .lifeline import Heartbeat, Lifeline
from .setup import open_log_of_child
from .worker import explain

BEAT = 2.0
"""Seconds between signs of life: jobs sleep for as long as they rely on a watcher."""

_log = logging.getLogger("tdsup")


@dataclass(frozen=True, slots=True)
class Watch:
    """What one watcher does.

    Attributes:
        name: of the watcher.
        what: it looks at; see `JobType.watch`.
        files: of the jobs, by name; they are of one type.
    """

    name: str
    what: str
    files: Mapping[str, JobConfig]


def run_watcher(watch: Watch, settings: FleetSettings, channel: socket.socket) -> int:
    """Be a watcher; returns the exit status. It ends at once when asked to, or when the master dies."""
    sender = Sender(channel)
    context = WatcherContext(_log, sender)
    Lifeline(
        _log,
        Heartbeat(channel, BEAT, context.beat, lambda _message: None),
        stop=lambda: os._exit(Exit.OK),
        reload=lambda: None,
        terminate=None,
    ).start()
    try:
        logs.set_level(logging.INFO)
        open_log_of_child(watch.name, settings)
        (job_type,) = {file.job_type for file in watch.files.values()}
        job_type.watch(watch.what, {name: file.settings for name, file in watch.files.items()}, context)
    except Exception as error:  # noqa: BLE001 (the master is told, and starts another one)
        line = explain(error, watch.name)
        _log.error("%s", line)
        _log.debug("cannot watch", exc_info=True)
        sender.farewell(line)
        return Exit.FAILED
    return Exit.OK
