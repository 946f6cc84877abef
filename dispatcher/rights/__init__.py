"""What the job's roles need in both databases, and the SQL that grants just that."""

from .grants import grants
from .needs import (
    CHILD,
    PARENT,
    STAGED,
    UNATTACHED,
    UNPARTITIONED,
    changes_of,
    clones,
    creates,
    links,
    rights_for,
)
from .role import role_of

__all__ = [
    "CHILD",
    "PARENT",
    "STAGED",
    "UNATTACHED",
    "UNPARTITIONED",
    "changes_of",
    "clones",
    "creates",
    "grants",
    "links",
    "rights_for",
    "role_of",
]
