"""Tables of the source that events are of, where a job has sections for some."""

from __future__ import annotations

from ..settings import Settings, SourceName
from .sourcetables import SourceTables

MAX_ASKED = 4096
"""Most names that the source is asked for at a time: whoever writes events names tables as he likes."""


class Roots:
    """Tells of which table a partition is a part, though it came while the job runs.

    Args:
        tables: of the source.
        settings: the job's.
    """

    def __init__(self, tables: SourceTables, settings: Settings) -> None:
        self._tables = tables
        self._sections = settings.sections
        self._wanted: set[bytes] = set()
        self._has_asked = False

    def begin(self) -> None:
        """A batch begins: the source may be asked once."""
        self._wanted.clear()
        self._has_asked = False

    def root(self, name: bytes) -> bytes | None:
        """The table that an event counts for; a section may name a partition, too.

        None: nobody knew of it when the source was asked last, so it is to be asked before the next pass.
        """
        if SourceName.parse(name.decode("utf-8", "backslashreplace")) in self._sections:
            return name
        if not (self._has_asked or self._tables.knows(name)) and len(self._wanted) < MAX_ASKED:
            self._wanted.add(name)
            return None
        return self._tables.root(name)

    def ask(self) -> None:
        """Ask the source for the names that were not known; raises psycopg2.Error if it cannot be asked."""
        self._tables.learn(self._wanted)
        self._wanted.clear()
        self._has_asked = True
