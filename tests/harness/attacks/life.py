"""What a fleet and its people do with a job, from its first start to its end."""

from __future__ import annotations

import subprocess

from harness.paths import TABLE_DISPATCHER
from harness.programs.fleet import Fleet
from harness.servers.database import Database
from harness.servers.queue import Queue
from harness.waiting import wait_until


class Life:
    """A fleet whose job ``t`` loads table ``app.t`` by way of queue ``q``.

    Args:
        fleet: with the job's file.
        queue: the job's.
        target: the database that it loads.
    """

    def __init__(self, fleet: Fleet, queue: Queue, target: Database) -> None:
        self._fleet = fleet
        self._queue = queue
        self._source, self._target = queue.source, target

    def says(self, *arguments: str, code: int = 0) -> str:
        """What a command of `tdsup` prints, which must end with this code."""
        ended, said, fault = self._fleet.said(*arguments)
        assert ended == code, said + fault
        return said

    def desk(self, *switches: str) -> str:
        """The same of `table_dispatcher`."""
        done = subprocess.run(
            [TABLE_DISPATCHER, *switches, "conf.d/t.ini"],
            cwd=self._fleet.directory,
            env=self._fleet.environment(),
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def change(self, statement: str) -> None:
        """Change rows of the source; returns when the target has the same."""
        self._source.execute(statement)
        self._queue.tick()
        rows = "select to_jsonb(t) - 'kind' from app.t order by id"
        wanted = self._source.rows(rows)

        def same() -> bool:
            assert self._fleet.job("t")["state"] == "running", self._fleet.job("t")["reason"]
            return self._target.rows(rows) == wanted

        wait_until(same, f"the target has rows like the source after {statement}")

    def live(self) -> None:
        """Load and change rows of three days, and move one to a fourth."""
        self._fleet.start()
        self._fleet.wait_for("t", state="running")
        self.change("insert into app.t select g, date '2026-11-01' + g % 3, 'x' from generate_series(1, 9) g")
        self.change("update app.t set note = 'y' where id = 2; delete from app.t where id = 4")
        self.change("update app.t set day = '2026-12-01' where id = 3")
        self.change("truncate app.t; insert into app.t values (1, '2026-11-05', 'z')")

    def bury(self) -> None:
        """Keep bad events, and do with them what can be done."""
        self._queue.send("id=2&day=2026-11-07&note=longer", "id=x&day=2026-11-07", table="app.t")
        self._fleet.wait_for("t", dead_letters=2)
        (first, second) = self._target.column("select id from tdsup.dead_letter order by id")
        assert "app.t" in self.says("dead-letters", "t", "show", str(first))
        assert "loaded 0 of 2" in self.says("dead-letters", "t", "replay", code=1)
        self._target.execute("alter table app.t alter note type text")
        assert "loaded 1 of 1" in self.says("dead-letters", "t", "replay", str(first))
        assert "purged 1" in self.says("dead-letters", "t", "purge", str(second))
        assert self._target.value("select note from app.t where id = 2") == "longer"

    def end(self) -> None:
        """Look at it, hold it, move it and retire it."""
        for command in ("status", "consumers", "schema", "pause t", "resume t", "takeover t"):
            self.says(*command.split())
        self._fleet.wait_for("t", state="running")
        self.says("stop-job", "t")
        self._fleet.wait_for("t", state="stopped")
        self.says("rewind", "t")
        self._queue.send("id=5", table="app.t")
        self._source.execute("select pgq.next_batch('q', 't')")
        assert "its 1 events are dead letters" in self.says("skip", "t")
        assert "unregistered consumer t" in self.says("retire", "t")
        for switch in ("--register", "--reset", "--unregister"):
            self.desk(switch)
