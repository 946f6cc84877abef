"""The task of one contestant."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from ..case import TABLE

QUEUE = "orders"

PUBLICATION = "orders"

SLOT = "before"
"""Replication slot that stands before the first change."""


@dataclass(frozen=True)
class Task:
    """Load the first ticks of the queue into existing tables, as a registered consumer.

    Attributes:
        consumer: its name.
        source: connection string of the database with the queue.
        target: of the database to load.
        ticks: how many ticks to load.
        partitioned: whether the table has partitions by day.
        directory: for files; it contains the decoded rows.
        way: of several to do it, one.
        end: of the WAL that logical replication is to read.
    """

    consumer: str
    source: str
    target: str
    ticks: int
    partitioned: bool
    directory: str
    way: str = ""
    end: str = ""

    @property
    def json(self) -> str:
        """To pass it to another process."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Task:
        """The same on the other side."""
        return cls(**json.loads(text))

    def write_ini(self, section: str, **keys: object) -> str:
        """Write a job's file with what all jobs need and some more keys; returns its path."""
        keys = {
            "job_name": self.consumer,
            "src_db": self.source,
            "dst_db": self.target,
            "pgq_queue_name": QUEUE,
            "dest_table": TABLE,
            "part_field": "created" if self.partitioned else "",
            "loop_delay": 0,
            **keys,
        }
        lines = [f"{key} = {str(value).replace('%', '%%')}" for key, value in keys.items()]
        path = Path(self.directory) / f"{self.consumer}.ini"
        path.write_text("\n".join([f"[{section}]", *lines, ""]), encoding="utf-8")
        return str(path)
