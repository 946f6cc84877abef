"""The fake job types, for jobs whose files name them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from harness.paths import JOBTYPES


@pytest.fixture(scope="module", autouse=True)
def fake_job_types() -> Iterator[None]:
    """They are installed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(JOBTYPES))
        yield
