"""What people write: job files and what changes in them, ``tdsup.yaml``, and the files of scriptmgr."""

from .changes import Changes, Present, compare
from .claims import clashes, settle, shares
from .confd import passed_over, paths, read_again, scan, scan_fleet
from .fleetsettings import FleetSettings, load_fleet, needing_a_start, require_jobs
from .jobconfig import BrokenConfig, JobConfig
from .jobfile import HEADLESS, load_only_job, pidfile_of, settings_of, text_of
from .jobtypes import find_job_type, job_types
from .sample import sample
from .scriptmgr import import_fleet
from .watch import Signature, Watch, signature

__all__ = [
    "HEADLESS",
    "BrokenConfig",
    "Changes",
    "FleetSettings",
    "JobConfig",
    "Present",
    "Signature",
    "Watch",
    "clashes",
    "compare",
    "find_job_type",
    "import_fleet",
    "job_types",
    "load_fleet",
    "load_only_job",
    "needing_a_start",
    "passed_over",
    "paths",
    "pidfile_of",
    "read_again",
    "require_jobs",
    "sample",
    "scan",
    "scan_fleet",
    "settings_of",
    "settle",
    "shares",
    "signature",
    "text_of",
]
