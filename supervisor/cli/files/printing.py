"""Printing logs, samples and imports."""

from __future__ import annotations

import argparse
import glob
import sys
import time
from pathlib import Path

from ...config import find_job_type, import_fleet, load_fleet, sample
from ...errors import NotRunning, Refused, TdsupError
from ...exits import Exit
from ...protocol import Client
from ..acting.jobsearch import find_job
from ..speech import say
from .tail import Tail

FOLLOW_PAUSE = 0.2
"""Seconds between two looks at a log that is followed."""


def show_log(options: argparse.Namespace) -> int:
    """Show the end of a log, and what is added."""
    settings = load_fleet()
    if settings.stream is not None:
        what = f"log of {options.job}" if options.job else "log"
        raise TdsupError(f"cannot show the {what}: {settings.stream.whereabouts(options.job)}")
    path = _log_of(options.job) if options.job else Path(settings.log)
    tail = Tail(path)
    try:
        _write(tail.last(options.lines))
        while options.follow:
            for block in tail.news():
                _write(block)
            time.sleep(FOLLOW_PAUSE)
    except FileNotFoundError as error:
        why = f"{options.job or 'the master'} has not written to it yet; tdsup status says how it fares"
        raise TdsupError(f"cannot read {path}: {why}") from error
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        raise TdsupError(f"cannot read {path}: {error.strerror}") from error
    except KeyboardInterrupt:
        pass
    finally:
        tail.close()
    return Exit.OK


def _log_of(job: str) -> Path:
    """The log of a job, as the master knows it (its file may be broken by now), else as its file says."""
    try:
        with Client(load_fleet().socket) as client:
            (found,) = client.call("status", jobs=[glob.escape(job)])["jobs"]
            return Path(found["log"] or f"log/{job}.log")
    except (NotRunning, Refused):
        return find_job(job, "show the log of").log_path


def _write(text: bytes) -> None:
    sys.stdout.buffer.write(text)
    sys.stdout.buffer.flush()


def print_sample(options: argparse.Namespace) -> int:
    """Print a job's file with every key."""
    say(sample(options.type, find_job_type(options.type)).rstrip("\n"))
    return Exit.OK


def print_import(options: argparse.Namespace) -> int:
    """Print a tdsup.yaml for the jobs of a scriptmgr.ini."""
    say("\n".join(import_fleet(Path(options.file))))
    return Exit.OK
