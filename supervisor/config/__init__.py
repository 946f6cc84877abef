"""What people write down: job files, ``tdsup.yaml``, and the files of scriptmgr."""

from .confd import clashes, paths, scan
from .fleetsettings import FILE, FleetSettings, load_fleet, require_jobs
from .jobfile import HEADLESS, BrokenFile, JobFile, load_job_file, pidfile_of
from .jobtypes import find_job_type
from .sample import sample
from .scriptmgr import import_fleet

__all__ = [
    "FILE",
    "HEADLESS",
    "BrokenFile",
    "FleetSettings",
    "JobFile",
    "clashes",
    "find_job_type",
    "import_fleet",
    "load_fleet",
    "load_job_file",
    "paths",
    "pidfile_of",
    "require_jobs",
    "sample",
    "scan",
]
