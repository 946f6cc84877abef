"""The account the servers run under; PostgreSQL refuses to run as root."""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import SandboxError

CANDIDATES = ("postgres", "nobody")
"""Unprivileged accounts, first choice first."""


@dataclass(frozen=True)
class Account:
    """The account; `uid` is None for the current user."""

    uid: int | None
    gid: int | None

    @property
    def popen(self) -> dict[str, Any]:
        """Arguments for `subprocess.Popen` that start a process under this account."""
        return {} if self.uid is None else {"user": self.uid, "group": self.gid, "extra_groups": []}

    def own(self, path: Path) -> None:
        """Make the account the owner of a file or directory."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)


def unprivileged() -> Account:
    """The current user, or an unprivileged account if that is root.

    Raises:
        SandboxError: there is no unprivileged account.
    """
    if os.geteuid() != 0:
        return Account(None, None)
    for name in CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise SandboxError(f"cannot start a sandbox as root: there is no account {' or '.join(CANDIDATES)}")
