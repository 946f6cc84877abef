"""What the master says about its jobs and its reloads, as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from tdsup.jobtype import LAG, STATUS_NUMBERS

from ..config import JobConfig
from ..jobs import Job, State


@dataclass(slots=True)
class Reloads:
    """How reloads went.

    Attributes:
        done: how many there were, sound or not.
        failed: those that met a fault.
        is_sound: whether the last reading of files, the one at the start included, met none.
    """

    done: int = 0
    failed: int = 0
    is_sound: bool = True

    def note(self, *, failed: bool) -> None:
        """Count a reload."""
        self.done += 1
        self.failed += failed
        self.is_sound = not failed


def job_status(job: Job, now: float, *, has_log: bool, kept: bool) -> dict[str, Any]:
    """One job as `tdsup status` shows it; durations in seconds.

    Args:
        job: the job.
        now: the present moment.
        has_log: jobs log to files of their own.
        kept: it stays paused over restarts.
    """
    sound = job.file if isinstance(job.file, JobConfig) else None
    error, error_at = job.last_error or ("", now)
    reason = f"{job.reason or 'paused'}; kept over restarts" if kept else job.reason
    trouble = job.trouble if job.state is State.RUNNING else ""
    return {
        "name": job.name,
        "state": job.state.value,
        "pid": job.pid,
        "since": round(now - job.since, 3),
        "events_per_second": round(job.tally.events_per_second(now), 1),
        "lag": _rounded(job.tally.value(LAG, now)),
        **{number.name: _or(job.tally.value(number.name, now), number.unknown) for number in STATUS_NUMBERS},
        "restarts": job.restarts.total(),
        "reason": "; ".join(filter(None, (trouble, reason))),
        "trouble": trouble,
        "kept": kept,
        "last_error": error,
        "last_error_age": round(now - error_at, 3) if job.last_error else None,
        "retry_in": _rounded(job.retry_in(now)),
        "file": job.file.path if job.file else None,
        "type": sound.section if sound else None,
        "log": str(sound.log_path) if sound and has_log else None,
    }


def job_metrics(job: Job, now: float) -> dict[str, Any]:
    """The numbers of one job."""
    return {
        "name": job.name,
        "state": job.state.value,
        "pid": job.pid,
        "restarts": dict(job.restarts),
        "backoff": _rounded(job.retry_in(now)) or 0,
        "labels": job.tally.labels,
        "series": {name: series for name in job.tally.metrics if (series := job.tally.series(name, now))},
    }


def described(jobs: Iterable[Job]) -> dict[str, dict[str, Any]]:
    """The metrics of jobs by name; if two job types have one of the same name, the first counts."""
    found: dict[str, dict[str, Any]] = {}
    for job in jobs:
        for name, metric in job.tally.metrics.items():
            if name not in found:
                found[name] = asdict(metric)
    return found


def _or(value: float | None, unknown: float | None) -> float | None:
    return unknown if value is None else value


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
