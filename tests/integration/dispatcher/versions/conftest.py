"""Servers of different versions: the oldest as source with the newest as target, and the other way round."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from harness.servers.versions import EXTREMES, programs
from tdsup.sandbox import Sandbox


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each test runs on every pair, or only on that of ``--servers``."""
    if "servers" in metafunc.fixturenames:
        asked = metafunc.config.getoption("servers")
        metafunc.parametrize("servers", [asked] if asked else EXTREMES, scope="session")


@pytest.fixture(scope="session")
def sandbox(servers: str) -> Iterator[Sandbox]:
    """The servers of a pair, instead of the installed one."""
    with Sandbox(*programs(servers)) as box:
        yield box
