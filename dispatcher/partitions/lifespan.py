"""From when to when the partitions of a table exist."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Action = Literal["", "drop", "detach", "move"]
"""What becomes of a partition whose time is over; empty: not said."""

LateEvents = Literal["create", "dead_letter", "ignore"]
"""What becomes of a row whose partition is gone."""

WORDS = ("part", "parent", "start", "end")
"""What `Lifespan.sql` may hold, each as in ``%(part)s``: names as SQL, and moments as literals."""

_WORD = re.compile(r"%\((\w*)\)s|%%")


@dataclass(frozen=True, slots=True)
class Lifespan:
    """How early partitions are made, and what becomes of them in the end, as a job's settings say.

    Attributes:
        premake: how many are made after the present one.
        period: how long they are kept after their end, as PostgreSQL reads intervals; empty: for ever.
        action: what becomes of them then.
        schema: where they are moved to.
        limit: most of them at a time.
        sql: run in the target before one goes; see `filled`.
        program: run before one goes, with its first arguments; empty: none.
        program_limit: most seconds that it may take.
        late: what becomes of a row whose partition is gone.
    """

    premake: int = 0
    period: str = ""
    action: Action = ""
    schema: str = ""
    limit: int = 10
    sql: str = ""
    program: tuple[str, ...] = ()
    program_limit: float = 3600.0
    late: LateEvents = "create"

    @property
    def ends(self) -> bool:
        """Whether partitions go at all."""
        return bool(self.period and self.action)

    @property
    def needs_care(self) -> bool:
        """Whether there is anything to do between batches."""
        return self.ends or self.premake > 0


def unknown_word(text: str) -> str:
    """The first word in a text that is none of `WORDS`, as it is written there; empty if there is none."""
    for match in _WORD.finditer(text):
        if match[0] != "%%" and match[1] not in WORDS:
            return match[0]
    return ""


def filled(text: str, words: Mapping[str, str]) -> str:
    """A text with its words replaced; ``%%`` is a percent sign, and any other one stays.

    Args:
        text: has no `unknown_word`.
        words: what each of `WORDS` stands for, as SQL.
    """
    return _WORD.sub(lambda match: "%" if match[0] == "%%" else words[match[1]], text)
