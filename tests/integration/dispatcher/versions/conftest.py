"""Servers of different versions: the oldest as source with the newest as target, and the other way round."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from harness.servers.template import quick_sandbox
from harness.servers.versions import EXTREMES, PAIRS
from tdsup.sandbox import Sandbox


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each test runs on the extremes; with ``--servers`` on that pair, or on every one."""
    if "servers" in metafunc.fixturenames:
        asked = metafunc.config.getoption("servers")
        pairs = PAIRS if asked == "every" else [asked] if asked else EXTREMES
        metafunc.parametrize("servers", pairs, scope="session")


@pytest.fixture(scope="session")
def sandbox(servers: str) -> Iterator[Sandbox]:
    """The servers of a pair, instead of the installed one."""
    with quick_sandbox(servers) as box:
        yield box
