"""Jobs as the master sees them, for tests that replay histories."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

from tdsup.jobtype import Condition
from tdsup.supervisor.config.jobconfig import BrokenConfig, JobConfig
from tdsup.supervisor.config.jobsettings import JobSettings
from tdsup.supervisor.errors import ConfigError
from tdsup.supervisor.jobs.backoff import Backoff, Schedule
from tdsup.supervisor.jobs.escalation import Timeouts
from tdsup.supervisor.jobs.job import Job

TIMEOUTS = Timeouts(heartbeat=30, stop=20, kill=5)

BROKEN = BrokenConfig("conf.d/a.ini", "", "a", ConfigError("cannot load conf.d/a.ini: first", "second"))


NOTHING = cast("Any", None)
SOUND = JobConfig("conf.d/a.ini", "sleeper", "1", JobSettings(job_name="a"), NOTHING)
OTHER = replace(SOUND, digest="2")
LAZY = replace(SOUND, host=JobSettings(job_name="a", autostart=False))
HOLDING = replace(SOUND, section="holder")
DISABLED = replace(SOUND, host=JobSettings(job_name="a", disabled=True))


def a_job(file: JobConfig | BrokenConfig | None = SOUND) -> Job:
    """A new job at moment 0, whose delays are exactly the nominal ones."""
    return Job("a", file, Backoff(Schedule(first=0.5, limit=30, reset=30), lambda: 0.5), TIMEOUTS, 0)


def a_running_job(file: JobConfig = SOUND) -> Job:
    """A job whose process 7 runs since moment 0."""
    job = a_job(file)
    job.forked(7, 0)
    job.reported(Condition.RUNNING, "", 0)
    return job
