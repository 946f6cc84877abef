"""Where a database is and how to get in: a connection string, and a file with what must not be in it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import psycopg2
from psycopg2.extensions import make_dsn, parse_dsn

from .errors import Outage

CREDENTIALS = "CREDENTIALS_DIRECTORY"
"""Variable that names the folder of a unit's credentials (systemd.exec(5))."""

PLACE = frozenset({"host", "hostaddr", "port", "dbname", "service"})
"""Words that say which database it is: jobs of one consumer are told by them, without a look into files."""

LONGEST = 65536
"""Bytes of a file that are read."""


@dataclass(frozen=True, slots=True)
class SecretFile:
    """A file with a secret.

    Attributes:
        name: its path; without a slash, it is a systemd credential.
    """

    name: str

    def path(self) -> Path:
        """The file; raises ValueError if it is a credential, and there are none."""
        if "/" in self.name:
            return Path(self.name).expanduser()
        folder = os.environ.get(CREDENTIALS)
        if not folder:
            raise ValueError(f"{CREDENTIALS} is not set, and a name without a slash is a systemd credential")
        return Path(folder, self.name)

    def text(self) -> str:
        """What it holds, without space at both ends; raises ValueError if it cannot be read."""
        try:
            with self.path().open("rb") as file:
                return file.read(LONGEST).decode().strip()
        except OSError as error:
            raise ValueError(str(error.strerror)) from error
        except UnicodeDecodeError:
            raise ValueError("it is not of UTF-8") from None


@dataclass(frozen=True, slots=True)
class Address:
    """A database of a job.

    Attributes:
        which: ``source`` or ``target``.
        dsn: the connection string, checked.
        file: names a file whose words are added to it; a name without a slash is a systemd credential.
        own_key: the job's key of the connection string, if that is neither src_db nor dst_db.
    """

    which: str
    dsn: str
    file: str = ""
    own_key: str = ""

    @property
    def key(self) -> str:
        """The job's key of the connection string; that of the file is the same with ``_file``."""
        return self.own_key or ("src_db" if self.which == "source" else "dst_db")

    def read(self) -> str:
        """The whole connection string, read now: a password may change from one connection to the next.

        Raises:
            Outage: the file cannot be read, or holds something else; nothing of it is shown.
        """
        if not self.file:
            return self.dsn
        try:
            text = SecretFile(self.file).text()
        except ValueError as error:
            raise self._fault(str(error)) from error
        try:
            words = parse_dsn(text)
        except psycopg2.ProgrammingError:
            # Its message would quote the file.
            raise self._fault("it holds no connection string, such as password='…'") from None
        if not words:
            raise self._fault("it is empty")
        if misplaced := sorted(PLACE & words.keys()):
            raise self._fault(f"it says {', '.join(misplaced)}, which belongs into {self.key}")
        whole: str = make_dsn(**{**parse_dsn(self.dsn), **words})
        return whole

    def _fault(self, reason: str) -> Outage:
        return Outage(f"cannot read {self.key}_file {self.file}: {reason}", self.which)
