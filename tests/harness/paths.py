"""Where things are: the tests, the fake job types, the installed programs."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
"""The checkout."""

TESTS = Path(__file__).parents[1]
"""The folder that holds the harness, for ``PYTHONPATH``."""

JOBTYPES = Path(__file__).with_name("jobtypes")
"""The folder of the fake job types, for ``PYTHONPATH``."""

TDSUP = Path(sys.executable).with_name("tdsup")
TABLE_DISPATCHER = Path(sys.executable).with_name("table_dispatcher")
