"""The contract between a job and its host, said once; job types of other packages import it too.

A job type is an entry point of group ``tdsup.jobs``. Its name is the section header of the job's ini file.
"""

from .action import Action
from .condition import Condition
from .context import Context, Snapshot, WatchContext
from .duration import duration
from .jobtype import GROUP, JobType
from .metric import EVENTS, LAG, STATUS_NUMBERS, TROUBLE, Metric, MetricKind, StatusNumber
from .option import (
    UNNAMED,
    Sections,
    filled_in,
    is_filled_in,
    is_secret_file,
    no_effect,
    no_effect_reason,
    secret_file,
    sections,
    sections_of_model,
)
from .order import Order
from .printable import brief, printable

__all__ = [
    "EVENTS",
    "GROUP",
    "LAG",
    "STATUS_NUMBERS",
    "TROUBLE",
    "UNNAMED",
    "Action",
    "Condition",
    "Context",
    "JobType",
    "Metric",
    "MetricKind",
    "Order",
    "Sections",
    "Snapshot",
    "StatusNumber",
    "WatchContext",
    "brief",
    "duration",
    "filled_in",
    "is_filled_in",
    "is_secret_file",
    "no_effect",
    "no_effect_reason",
    "printable",
    "secret_file",
    "sections",
    "sections_of_model",
]
