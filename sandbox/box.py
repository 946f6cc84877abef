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
from .binaries import Binaries
from .cluster import Cluster
from .ticker import Ticker

CLEAN_UP_WAIT = 30.0
"""Seconds within which the clean-up must be done."""


class Sandbox:
    """Source and target as separate clusters, and pgqd on the source; a context manager.

    All of it is removed when the context ends, and also when the process is killed.

    Args:
        source: the programs of the source; None: those that are found.
        target: the programs of the target; None: those that are found.
        where: folder for its own one; None: that of temporary files.

    Attributes:
        directory: contains everything; private.
        source: the cluster with PgQ in each of its databases.
        target: the other cluster.
        ticker: pgqd on the source.

    Raises:
        SandboxError: a program is missing, or a server does not start.
    """

    def __init__(
        self, source: Binaries | None = None, target: Binaries | None = None, where: Path | None = None
    ) -> None:
        self._programs = source, target
        self._where = where

    def __enter__(self) -> Self:
        of_source, of_target = (programs or binaries.find() for programs in self._programs)
        account = unprivileged()
        # The reaper finds processes by their working directory, which the kernel shows with links resolved.
        self.directory = Path(tempfile.mkdtemp(prefix="tdsup-", dir=self._where)).resolve()
        account.own(self.directory)
        self._reaper = subprocess.Popen(
            [sys.executable, reaper.__file__, self.directory],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            self.source = Cluster(self.directory / "source", of_source, account, has_pgq=True)
            self.target = Cluster(self.directory / "target", of_target, account)
            self.ticker = Ticker(self.directory, self.source, account)
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
