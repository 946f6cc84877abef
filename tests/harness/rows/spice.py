"""Random events of all kinds, sound and odd: what a producer may put into a queue."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote_plus

from harness.servers.database import Database

Event = tuple[str | None, str | None, str | None]
"""``ev_type``, ``ev_data`` and ``ev_extra1``."""

AWKWARD = ("\t", "\n", "\r", "\\", r"\N", r"\.", "%", "+", "&", "=", " ", "\x01", "\b", "é", "😀", "'", '"')

ODD_DAYS = """2026-11-24+24:00 2026-1-5 2026-02-30 2023-02-29 2026-11-24T10:00Z 2026-11-24+10:60
    2026-11-24+10:00+Europe%2fTallinn 2026-11-24+23:59:59.9999999 infinity 0044-03-15+BC 10000-01-01
    24.11.2026 2026%2D11%2D24 0000-01-01 9999-12-31 2026-11-24%zz 2026-11-24%00""".split()

DAYS = ("2026-11-23", "2026-11-24+10:00:00%2b00", "2026-11-24T23:59:59", "2026-12-01", "2027-01-31+00%3a00")

ODD_DATA = ("", "&&", "id", "=x", "%", "order 1 was placed", "id=1&id=2", "%ff=1", "id\\=1", "id\t=1")


@dataclass
class Kitchen:
    """Makes events of tables ``t`` and ``u`` with the columns id, day, note and n.

    Attributes:
        rng: the random numbers.
        last: the newest id.
    """

    rng: random.Random
    last: int = 0

    def note(self) -> str:
        """An encoded note: any text that a column can hold."""
        kind = self.rng.random()
        if kind < 0.2:
            return "note"
        text = "".join(self.rng.choices((*AWKWARD, *"abcXYZ089"), k=self.rng.randrange(10)))
        return "note=" + (quote_plus(text) if kind < 0.9 else quote_plus(text).lower())

    def row(self, *, note: str = "", day: str = "", id_: int | None = None) -> str:
        """A row as a trigger writes it."""
        if id_ is None:
            self.last += 1
            id_ = self.last
        number = self.rng.choice(("n", f"n={self.rng.randrange(1000)}"))
        return f"id={id_}&day={day or self.rng.choice(DAYS)}&{note or self.note()}&{number}"

    def some_id(self) -> int:
        """An id; most likely one that is in use."""
        return self.rng.randint(1, max(1, self.last))

    def sound(self) -> Event:
        """A plain insert."""
        return "I:id", self.row(), "public.t"

    def unread(self) -> Event:
        """Data that is hard or impossible to decode."""
        odd = self.rng.choice((
            self.row(note=f"note={self.rng.choice(('50%', '%zz', '%4', 'a%'))}"),
            self.row(note="note=\\"),
            self.row(note="note=a\tb\nc\bd"),
            self.row(day=self.rng.choice(ODD_DAYS)),
            self.row().replace("day=", "day_="),
            self.row().replace(self.rng.choice(DAYS), ""),
            self.rng.choice(ODD_DATA),
            None,
        ))  # fmt: skip
        return "I:id", odd, "public.t"

    def shaped(self) -> Event:
        """Other columns, or the same ones written in another way."""
        columns = self.row().split("&")
        odd = self.rng.choice((
            "&".join(reversed(columns)),
            "&".join(columns[:-1]),
            "&".join([*columns, "color=red", "size"]),
            "&&".join(columns),
            "&".join([*columns, "note=again"]),
            "&".join(columns).replace("note", "%6eote"),
            "&".join(columns).replace("note", "Note"),
        ))  # fmt: skip
        return "I:id", odd, "public.t"

    def typed(self) -> Event:
        """A producer's own type, or another table, or none."""
        type_ = self.rng.choice(("order placed", "I:", "I:id,day", "X:id", "a\tb", None, ""))
        return type_, self.row(), self.rng.choice(("public.t", "public.u", "public.a\\b", None))

    def refused(self) -> Event:
        """A row that the target refuses."""
        odd = self.rng.choice((
            self.row(note="note=a%00b"),
            self.row(note="note=%ff%fe"),
            self.row(note="note=" + "x" * 50),
            self.row(id_=self.some_id(), day=DAYS[0]),
            self.row().replace("id=", "id=x"),
            self.row() + "0000000000",
        ))  # fmt: skip
        return "I:id", odd, "public.t"

    def system(self) -> Event:
        """One of PgQ's own events, with any data."""
        return self.rng.choice(("pgq.location-info", "pgq.%")), self.rng.choice(("x", "%", "\\", None)), None

    def large(self) -> Event:
        """A row that is larger than a block."""
        return "I:id", self.row(note="note=", id_=None) + "&wide=" + "x%20" * 100_000, "public.t"

    def change(self) -> Event:
        """An update or a delete in any trigger's format."""
        row, id_ = self.row(id_=self.some_id(), day=DAYS[0]), self.some_id()
        keyed = '{{"op":"{}","pkey":["id"]}}'
        return self.rng.choice((
            ("U:id", row, "public.t"),
            ("U:id", row.replace("note", "n%6fte"), "public.t"),
            ("D:id", row, "public.t"),
            ("D:id", row + "&x=%", "public.t"),
            (keyed.format("DELETE"), json.dumps({"id": id_, "day": "2026-11-23"}), "public.t"),
            (keyed.format("INSERT"), json.dumps({"id": self.last + 1, "day": "2026-11-23"}), "public.t"),
            ("I", f"(id,day,note) values ('{id_}','2026-11-23',E'it''s\\\\')", "public.t"),
            ("D", f"id='{id_}'", "public.t"),
        ))  # fmt: skip

    def truncate(self) -> Event:
        """A truncate, and something that looks like one."""
        return self.rng.choice((("R", "", "public.t"), ("R", "id=7", "public.t")))

    def batch(self, size: int, spices: dict[str, float]) -> list[Event]:
        """Sound events and others; `spices` gives the others' shares by name of the method."""
        makers: list[Callable[[], Event]] = [getattr(self, name) for name in spices]
        rest = 1 - sum(spices.values())
        weights = [rest, *spices.values()]
        return [make() for make in self.rng.choices([self.sound, *makers], weights, k=size)]


def send(source: Database, queue: str, events: list[Event]) -> None:
    """Put events into a queue, in order, in one transaction."""
    source.execute(
        "select pgq.insert_event(%s, e.type, e.data, e.extra, null, null, null) "
        "from unnest(%s::text[], %s::text[], %s::text[]) with ordinality e(type, data, extra, n) order by n",
        queue,
        *(list(column) for column in zip(*events, strict=True)),
    )
