"""The sandbox as a whole: two clusters and a ticker."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from . import binaries, reaper
from .account import unprivileged
from .cluster import Cluster
from .ticker import Ticker

CLEAN_UP_WAIT = 30.0
"""Seconds within which the clean-up must be done."""


class Sandbox:
    """Source and target as separate clusters, and pgqd on the source; a context manager.

    All of it is removed when the context ends, and also when the process is killed.

    Attributes:
        directory: contains everything; private.
        source: the cluster with PgQ in each of its databases.
        target: the other cluster.
        ticker: pgqd on the source.

    Raises:
        SandboxError: a program is missing, or a server does not start.
    """

    def __enter__(self) -> Self:
        programs = binaries.find()
        account = unprivileged()
        # The reaper finds processes by their working directory, which the kernel shows with links resolved.
        self.directory = Path(tempfile.mkdtemp(prefix="tdsup-")).resolve()
        account.own(self.directory)
        self._reaper = subprocess.Popen(
            [sys.executable, reaper.__file__, self.directory],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            self.source = Cluster(self.directory / "source", programs, account, extensions=("pgq",))
            self.target = Cluster(self.directory / "target", programs, account)
            self.ticker = Ticker(self.directory, self.source, programs, account)
            with ThreadPoolExecutor() as pool:
                list(pool.map(_create_and_start, (self.source, self.target)))
            self.ticker.start()
        except BaseException:
            self._clean_up()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._clean_up()

    def _clean_up(self) -> None:
        self._reaper.communicate(timeout=CLEAN_UP_WAIT)
        for part in ("ticker", "source", "target"):
            if part in vars(self):
                getattr(self, part).stop()


def _create_and_start(cluster: Cluster) -> None:
    cluster.create()
    cluster.start()
