"""Random histories of a table."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from harness.rows.designs import FORMATS, LONGEST, PERIODS, SEEDS, STRAYS, Design, Mode
from harness.rows.steps import (
    ODD,
    Event,
    History,
    NewKey,
    Statement,
    Step,
    Tick,
    Touch,
    json_type,
    type_of,
    urlencoded,
)

TEXTS = st.sampled_from([None, "x", "", "it's \\", "\u20ac\t\n", "\\N", "a b&c=d", 'q"%41'])
NUMBERS = st.sampled_from([None, 0, 7, -12])


def literal(value: object) -> str:
    """As SQL."""
    if value is None:
        return "null"
    return str(value) if isinstance(value, int) else "'" + str(value).replace("'", "''") + "'"


# Long: each kind of step is a method.
@dataclass(frozen=True)
class Maker:
    """Draws steps for one design.

    Attributes:
        draw: hypothesis's.
        design: of the table.
        present: keys that rows are likely to have, each as SQL.
    """

    draw: st.DrawFn
    design: Design
    present: set[str] = field(default_factory=set)

    def value(self, column: str) -> object:
        """For a column."""
        values: dict[str, st.SearchStrategy[Any]] = {
            "id": st.integers(1, 5),
            "k2": st.sampled_from(["a", "b c"]),
            "day": st.sampled_from(self.design.days),
            "u": st.sampled_from([1, 2, 3, None]),
            "up": st.sampled_from([1, 2, 3, None]),
            "o": st.sampled_from([1, 2, 9, None]),
            "txt": TEXTS,
            "n": NUMBERS,
        }
        found: object = self.draw(values[column])
        return found

    def where(self) -> str:
        """A row, as SQL; most likely one that is there."""
        if self.present and self.draw(st.sampled_from([*[True] * 9, False])):
            return self.draw(st.sampled_from(sorted(self.present)))
        return self._where({name: self.value(name) for name in self.design.key})

    def _where(self, key: Mapping[str, object]) -> str:
        return " and ".join(f"{name} = {literal(key[name])}" for name in self.design.key)

    def insert(self, **fixed: object) -> Step:
        """A new row; most likely one that is not there."""
        values = {name: self.value(name) for name in self.design.columns} | fixed
        if "id" not in fixed and self._where(values) in self.present:
            values["id"] = self.value("id")
        self.present.add(self._where(values))
        listed = ", ".join(map(literal, values.values()))
        return Statement(f"insert into t ({', '.join(values)}) values ({listed})")

    def update(self) -> list[Step]:
        """Some columns of a row."""
        others = [name for name in self.design.columns if name not in self.design.key]
        names = self.draw(st.lists(st.sampled_from(others), min_size=1, max_size=3, unique=True))
        sets = ", ".join(f"{name} = {literal(self.value(name))}" for name in names)
        return [Statement(f"update t set {sets} where {self.where()}")]

    def update_many(self) -> list[Step]:
        """One statement for many rows; in a column that nothing depends on."""
        sets = self.draw(st.sampled_from(["n = n + 1", "n = null", "txt = 'all'"]))
        return [Statement(f"update t set {sets} where id <= {self.value('id')}")]

    def delete(self) -> list[Step]:
        """A row goes."""
        where = self.where()
        self.present.discard(where)
        return [Statement(f"delete from t where {where}")]

    def come_back(self) -> list[Step]:
        """A row goes, and another one gets its key."""
        key = {name: self.value(name) for name in self.design.key}
        return [Statement(f"delete from t where {self._where(key)}"), self.insert(**key)]

    def truncate(self) -> list[Step]:
        """All rows go."""
        self.present.clear()
        return [Statement("truncate t")]

    def pass_on(self) -> list[Step]:
        """What must be unique is taken from one row and given to another one."""
        value, giver = self.value("u"), self.where()
        leaves = self.draw(st.sampled_from(["update t set u = null", "delete from t"]))
        takes = self.draw(st.booleans())
        end: Step = Statement(f"update t set u = {literal(value)} where {self.where()}")
        return [Statement(f"{leaves} where {giver}"), end if takes else self.insert(u=value)]

    def new_key(self) -> list[Step]:
        """A row gets another key, and perhaps other values."""
        others = ("n", *(("day",) if self.design.partitions else ()))
        name = self.draw(st.sampled_from(self.design.key))
        more = self.draw(st.lists(st.sampled_from(others), max_size=1))
        sets = ", ".join(f"{each} = {literal(self.value(each))}" for each in [name, *more])
        return [NewKey(self.where(), sets)]

    def take_over(self) -> list[Step]:
        """A row leaves a day and then goes, and another one gets its key and that day."""
        gone, other = (self._where({name: self.value(name) for name in self.design.key}) for _ in "12")
        first, second = self.draw(st.permutations(self.design.days))[:2]
        return [
            Statement(f"update t set day = '{first}' where {gone}"),
            *self.draw(st.sampled_from([[], [Tick()]])),
            Statement(f"update t set day = '{second}' where {gone}"),
            Statement(f"delete from t where {gone}"),
            *self.draw(st.sampled_from([[], [Tick()]])),
            NewKey(other, f"{gone.replace(' and ', ', ')}, day = '{first}'"),
        ]

    def touch(self) -> list[Step]:
        """An event that changes nothing."""
        return [Touch(self.where(), self.draw(st.integers(0, len(ODD) - 1)))]

    def odd(self, id_: int) -> list[Step]:
        """Events made by hand of a row of their own."""
        made: list[Step] = []
        for _ in range(self.draw(st.integers(1, 3))):
            values = {name: self.value(name) for name in ("txt", "n")}
            day = {"day": self.value("day")} if self.design.partitions else {}
            shown = {name: None if value is None else str(value) for name, value in (values | day).items()}
            operation = self.draw(st.sampled_from(["INSERT", "UPDATE", "DELETE"]))
            row = self.design.row(id_, **shown)
            if operation == "INSERT":
                row = self.design.row(id_, txt=shown["txt"], n=shown["n"])
            made.append(self.draw(st.sampled_from(ODD))(operation, self.design.key, row))
        return made

    def fault(self, number: int) -> list[Step]:
        """An event that has no row or asks for nothing; its key is used by no other."""
        id_, key = 910 + number, self.design.key
        row = self.design.row(id_, txt="x")
        plain = urlencoded(row)
        where = " and ".join(f"{name}={literal(row[name])}" for name in key)
        faults: list[list[Step]] = [
            [Event(type_of("DELETE", key), plain)],
            [Event("D", where)],
            [Event("U", f"txt='x' where {where}")],
            [Event("U", f"{where.replace(' and ', ',')} where {where}")],
            [Event(type_of("INSERT", key), plain + "&n=%zz")],
            [Event(json_type("UPDATE", key), '{"id":')],
            [Event(type_of("INSERT", key), plain + "&color=red")],
            [Event(json_type("UPDATE", key), json.dumps({**row, "color": None}))],
            [Event(type_of("INSERT", key), urlencoded({**row, "txt": "x" * (LONGEST + 1)}))],
            [Event("pgq.strange", "%")],
            [self._plain(id_), Statement(f"update t set txt = repeat('x', {LONGEST + 1}) where id = {id_}")],
        ]
        if number < len(STRAYS):
            faults.append([self._plain(STRAYS[number])])
        return self.draw(st.sampled_from(faults))

    def _plain(self, id_: int) -> Step:
        row = self.design.row(id_, txt="x")
        return Statement(f"insert into t ({', '.join(row)}) values ({', '.join(map(literal, row.values()))})")


Make = Callable[[], list[Step]]

DESIGNS = st.one_of(
    st.builds(Design, st.sampled_from([("id",), ("id", "k2")]), own=st.booleans(), told=st.booleans()),
    st.builds(
        Design,
        st.sampled_from([("id",), ("id", "k2")]),
        st.just("unique"),
        own=st.booleans(),
        told=st.booleans(),
    ),
    st.builds(Design, extra=st.just("self"), own=st.booleans(), told=st.booleans()),
    st.builds(
        Design,
        st.sampled_from([("id",), ("id", "k2")]),
        st.sampled_from(["", "other"]),
        st.sampled_from(["inherited", "native"]),
        st.booleans(),
        st.booleans(),
        period=st.sampled_from(sorted(PERIODS)),
    ),
    st.builds(Design, extra=st.just("other")),
)
"""Tables that are as their source."""


def _designs(*modes: Mode) -> st.SearchStrategy[Design]:
    """Tables of any partitions, for some row modes."""
    return st.builds(
        Design,
        st.sampled_from([("id",), ("id", "k2")]),
        partitions=st.sampled_from(["", "inherited", "native", "apart"]),
        own=st.booleans(),
        told=st.booleans(),
        mode=st.sampled_from(modes),
        period=st.sampled_from(sorted(PERIODS)),
    )


LATEST = _designs("keep_latest")
"""Tables that keep the last state of a row in each partition."""

MARKED = st.builds(
    Design,
    st.sampled_from([("id",), ("id", "k2")]),
    partitions=st.sampled_from(["", "inherited", "native", "apart"]),
    own=st.booleans(),
    told=st.booleans(),
    period=st.sampled_from(sorted(PERIODS)),
    marked=st.just(True),
)
"""Tables whose deleted rows stay.

None is unique in more than its key: a deleted row would be in the way of others, and which of these
come depends on the batch.
"""

LOGS = _designs("append", "keep_all")
"""Tables to which rows are only added."""


@st.composite
def histories(draw: st.DrawFn, designs: st.SearchStrategy[Design] = DESIGNS) -> History:
    """Histories of any design, in any format; few of them with faults."""
    design = draw(designs)
    # Without a key, an insert does not find the row that comes back.
    formats = [each for each in FORMATS if not (design.marked and each[0] == "sqltriga")]
    format_ = draw(st.sampled_from(formats))
    maker, seeded = Maker(draw, design), draw(st.booleans())
    if seeded:
        maker.present.update(f"id = {id_}" + " and k2 = 'a'" * (len(design.key) > 1) for id_ in SEEDS)
    spice = draw(st.sampled_from(["", "", "odd", "faults", "truncates"]))
    kinds = _kinds(maker, format_)
    steps: list[Step] = []
    for number in range(draw(st.integers(3, 20))):
        choices = kinds + _spices(maker, spice, number)
        steps += draw(st.sampled_from(choices))()
    return History(design, format_, seeded, tuple(steps))


def _kinds(maker: Maker, format_: tuple[str, ...]) -> list[Make]:
    """What makes plain steps, each as often as it is likely."""
    is_kept = maker.design.mode == "keep_latest" and bool(maker.design.partitions)
    return [
        *[lambda: [maker.insert()]] * 4,
        *[maker.update] * 6,
        *[maker.delete, maker.come_back, maker.update_many] * 2,
        *[maker.pass_on] * (4 if maker.design.extra == "unique" else 0),
        *[maker.new_key] * (0 if format_ == ("sqltriga",) else 2),
        *[maker.take_over] * (4 if is_kept and format_ != ("sqltriga",) else 0),
        *[_tick] * 3,
    ]


def _spices(maker: Maker, spice: str, number: int) -> list[Make]:
    """What makes the peculiar steps of a history, of which this would be the one with that number."""
    if spice == "odd":
        return [maker.touch, maker.touch, lambda: maker.odd(950 + number)]
    if spice == "faults":
        return [lambda: maker.fault(number)] * 4
    return [maker.truncate] if spice == "truncates" else []


def _tick() -> list[Step]:
    return [Tick()]
