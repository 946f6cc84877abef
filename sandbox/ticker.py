"""PgQ's ticker daemon pgqd, for all databases of one cluster."""

from __future__ import annotations

import subprocess
from pathlib import Path

from psycopg2.extensions import make_dsn

from .account import Account
from .cluster import USER, Cluster

STOP_WAIT = 10.0
"""Seconds within which the daemon must be gone."""

# pgqd(1). It looks for databases every second, because tests create many.
_CONFIG = """
[pgqd]
base_connstr = {server}
initial_database = postgres
syslog = 0
check_period = 1
ticker_period = {period}
retry_period = 1
maint_period = 30
"""


class Ticker:
    """A private pgqd, which finds new databases within about a second.

    When its connection breaks it waits a minute before it tries again (src/ticker.c of pgqd 3.5; there is no
    setting). After stopping the source's server, restart the ticker too, or wait.
    """

    def __init__(self, directory: Path, cluster: Cluster, account: Account) -> None:
        self.log = directory / "pgqd.log"
        self._directory = directory
        self._config = directory / "pgqd.ini"
        self._cluster = cluster
        self._account = account
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, period: float = 1.0) -> None:
        """Start ticking; `period` is the seconds between two checks whether queues need ticks."""
        server = make_dsn(host=str(self._cluster.directory), port=self._cluster.port, user=USER)
        self._config.write_text(_CONFIG.format(server=server, period=period))
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [self._cluster.binaries.pgqd, self._config],
                cwd=self._directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **self._account.popen,
            )

    def stop(self) -> None:
        """Stop ticking."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(STOP_WAIT)
            self._process = None
