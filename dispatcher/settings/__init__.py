"""What the keys of a job's file mean: a model of them, for the job and for each of its tables."""

from .fieldmap import FieldMap, Word
from .keyvalues import Dsn
from .rowsettings import RowSettings
from .settings import Settings
from .severaltables import Listed
from .sourcename import SourceName, most_exact

__all__ = [
    "Dsn",
    "FieldMap",
    "Listed",
    "RowSettings",
    "Settings",
    "SourceName",
    "Word",
    "most_exact",
]
