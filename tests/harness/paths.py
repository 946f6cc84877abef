"""Where things are: the tests, the fake job types, the installed programs."""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
"""The checkout."""

TESTS = Path(__file__).parents[1]
"""The folder that holds the harness, for ``PYTHONPATH``."""

JOBTYPES = Path(__file__).with_name("jobtypes")
"""The folder of the fake job types, for ``PYTHONPATH``."""

PGQ_EXT = Path(__file__).parent / "servers/pgq_ext.sql"
"""SQL that creates the stand-in for pgq_ext."""

TDSUP = Path(sys.executable).with_name("tdsup")
TABLE_DISPATCHER = Path(sys.executable).with_name("table_dispatcher")


def environment() -> dict[str, str]:
    """Environment of every program: it finds the fake job types and the harness, and warnings are errors."""
    paths = os.pathsep.join(filter(None, [str(JOBTYPES), str(TESTS), os.environ.get("PYTHONPATH", "")]))
    return {**os.environ, "PYTHONPATH": paths, "PYTHONWARNINGS": "error"}
