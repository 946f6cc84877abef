"""Days pass, as `script/soak year` lets a year of them pass for each kind of table."""

from __future__ import annotations

import pytest
from harness.servers.database import Database
from harness.trials.year import KINDS, Year
from tdsup.dispatcher.postgres import Connection


@pytest.mark.parametrize(("kind", "days", "kept"), [("native", 365, 90), *((kind, 40, 15) for kind in KINDS)])
def test_a_year_of_days(target: Database, connection: Connection, kind: str, days: int, kept: int) -> None:
    """In the end there are exactly the days that are kept, today and those ahead, with all of their rows."""
    Year(target, connection, kind, kept).run(days)
