"""What a plain replay of events makes of a table: each event by itself, in order."""
# Long: what each mode makes of it is a class.

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import unquote_plus

import skytools

from harness.rows.designs import ADDED, LONGEST, WHERES, Design, Mode

Row = dict[str, str | None]
Key = tuple[str | None, ...]

_OF_JSON = re.compile(r"(?<=^\d{4}-\d\d-\d\d)T")

_OPERATIONS = {"I": "insert", "U": "update", "D": "delete", "R": "truncate"}


@dataclass(frozen=True)
class Sent:
    """An event of the queue.

    Attributes:
        number: its ``ev_id``.
        type, data, old, time: its ``ev_type``, ``ev_data``, ``ev_extra2`` and ``ev_time``.
    """

    number: int
    type: str
    data: str
    old: str | None
    time: str


@dataclass(frozen=True)
class _Asked:
    """What an event asks for.

    Attributes:
        row: values that it tells.
        key: names of the key's columns.
        before: what finds the row.
        whole: the row has all columns.
    """

    row: Row
    key: tuple[str, ...]
    before: Row
    whole: bool = True


class BadEventError(Exception):
    """An event has no row."""


@dataclass
class Replayed:
    """A table that events are applied to.

    Attributes:
        design: of the table.
        rows: its rows by their keys.
        dead: ids of the events that have no row.
        counts: events by operation and outcome, as ``insert,row``.
    """

    design: Design
    rows: dict[Key, Row] = field(default_factory=dict)
    dead: set[int] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)
    _told: Row = field(default_factory=dict)

    def put(self, row: Row) -> None:
        """A row is there."""
        self.rows[self._key(row)] = row

    def apply(self, sent: Sent) -> None:
        """Do what an event asks for."""
        if sent.type.startswith("pgq."):
            self.counts["other,ignored"] += 1
            return
        operation, key = _header(sent.type)
        letter = "R" if operation == "truncate" else operation[0].upper()
        self._told = {"op": letter, "ev": str(sent.number)} if self.design.told else {}
        if self.design.marked:
            self._told["gone"] = sent.time if operation in {"delete", "truncate"} else None
        try:
            done = self._apply(operation, key, sent)
        except BadEventError:
            self.dead.add(sent.number)
            self.counts[f"{operation},dead_letter"] += 1
        else:
            self.counts[f"{operation},{'row' if done else 'ignored'}"] += 1

    def _apply(self, operation: str, key: tuple[str, ...], sent: Sent) -> bool:
        """Returns False if there is nothing to do."""
        if operation == "truncate":
            self.rows.clear()
            return True
        asked = _read(operation, key, sent)
        hidden = self.design.hidden
        asked = replace(asked, row=hidden(asked.row), before=hidden(asked.before))
        if operation == "delete" or not self._is_loaded(asked):
            if operation == "insert":
                return False
            return self.rows.pop(self._key(asked.before), None) is not None
        if operation == "insert":
            self._insert(asked.row)
            return True
        return self._update(asked)

    def _is_loaded(self, asked: _Asked) -> bool:
        try:
            return WHERES[self.design.where](asked.row)
        except KeyError:
            raise BadEventError from None

    def _insert(self, row: Row) -> None:
        defaults: Row = dict.fromkeys(self.design.loaded)
        if self.design.own:
            defaults["own"] = ADDED
        self._store(defaults | row | self._told, None)

    def _update(self, asked: _Asked) -> bool:
        found = self._key(asked.before)
        present = self.rows.get(found)
        changed = {name: value for name, value in asked.row.items() if asked.whole or name not in asked.key}
        if self.design.partitions and "day" in changed and not asked.whole:
            raise BadEventError
        if not changed:
            return False
        if present is None and not asked.whole:
            raise BadEventError
        if present is None:
            self._insert(changed)
        elif self.design.place(present | changed) != self.design.place(present):
            # A row that moves is removed and added.
            own: Row = {"own": ADDED} if self.design.own else {}
            self._store(present | changed | own | self._told, found)
        else:
            self._store(present | changed | self._told, found)
        return True

    def _store(self, row: Row, instead: Key | None) -> None:
        """Keep a row, instead of one or in addition; BadEventError if the table refuses it."""
        others = [each for key, each in self.rows.items() if key != instead]
        if set(row) != set(self.design.loaded) or len(row["txt"] or "") > LONGEST:
            raise BadEventError
        if any(self._key(each) == self._key(row) for each in others):
            raise BadEventError
        if row.get("u") is not None and any(each["u"] == row["u"] for each in others):
            raise BadEventError
        if self.design.partitions and row["day"] is None:
            raise BadEventError
        if instead is not None:
            del self.rows[instead]
        self.put(row)

    def _key(self, row: Row) -> Key:
        return tuple(row[name] for name in self.design.key)


@dataclass
class Latest(Replayed):
    """A table of whose rows each partition keeps the last state that they had there."""

    def _apply(self, operation: str, key: tuple[str, ...], sent: Sent) -> bool:
        if operation == "truncate":
            return False
        asked = _read(operation, key, sent)
        day = {name: value for name, value in (asked.before | asked.row).items() if name == "day"}
        if self.design.partitions and not (day and asked.whole):
            raise BadEventError
        if operation == "delete":
            return bool([self.rows.pop(each) for each in self._of(asked.before | day)])
        if not asked.key:
            self._insert(asked.row)
            return True
        return self._put_whole(asked, day) if asked.whole else self._update(asked)

    def _put_whole(self, asked: _Asked, day: Row) -> bool:
        found, others = self._of(asked.before | day), self._of(asked.row)
        # What had the key that a row gets is a former state of that row.
        former = [self.rows.pop(each) for each in others if each not in found]
        try:
            self._bring_up_to_date(found, asked.row)
        except BadEventError:
            for each in former:
                self.put(each)
            raise
        return True

    def _bring_up_to_date(self, found: list[Key], row: Row) -> None:
        if not found:
            self._insert(row)
        elif len(found) > 1:
            # Events without a key have added them; they would become the same row.
            raise BadEventError
        else:
            self._store(self.rows[found[0]] | row | self._told, found[0])

    def _of(self, row: Row) -> list[Key]:
        """The rows of a partition that have the key of a row."""
        wanted = self._named(row)
        return [key for key, each in self.rows.items() if self._named(each) == wanted]

    def _named(self, row: Row) -> Key:
        return (self.design.place(row), *super()._key(row))

    def _key(self, row: Row) -> Key:
        # The key of a native table has the day in it.
        return (*self._named(row), row["day"]) if self.design.partitions == "native" else self._named(row)


@dataclass
class Log(Replayed):
    """A table to which each event adds a row; deletes do so in one of the modes only."""

    def _apply(self, operation: str, key: tuple[str, ...], sent: Sent) -> bool:
        if operation == "truncate":
            return False
        asked = _read(operation, key, sent)
        if operation == "delete" and self.design.mode == "keep_all":
            return False
        if not asked.whole:
            raise BadEventError
        self._insert(asked.row)
        return True

    def _key(self, row: Row) -> Key:
        # Each row has one of its own.
        return (str(id(row)),)


@dataclass
class Marked(Replayed):
    """A table whose deleted rows stay, and say since when."""

    def _apply(self, operation: str, key: tuple[str, ...], sent: Sent) -> bool:
        if operation == "truncate":
            for row in self.rows.values():
                row.update(self._told if row["gone"] is None else {})
            return True
        asked = _read(operation, key, sent)
        if operation != "delete":
            return self._put_whole(asked) if asked.whole else self._update(asked)
        row = self.rows.get(self._key(asked.before), {})
        row.update(self._told if row else {})
        return bool(row)

    def _put_whole(self, asked: _Asked) -> bool:
        # What had the key that a row gets was a former state of that row.
        after = self._key(asked.row)
        former = self.rows.pop(after, None) if after != self._key(asked.before) else None
        try:
            return self._update(asked)
        except BadEventError:
            if former is not None:
                self.put(former)
            raise


_REPLAYS: Mapping[Mode, type[Replayed]] = {
    "auto": Replayed,
    "append": Log,
    "keep_all": Log,
    "keep_latest": Latest,
}


def replay_of(design: Design) -> Replayed:
    """The replay of a table that is empty."""
    return (Marked if design.marked else _REPLAYS[design.mode])(design)


def _header(type_: str) -> tuple[str, tuple[str, ...]]:
    """The operation of an event, and the names of its key's columns."""
    if type_.startswith("{"):
        header = json.loads(type_)
        return header["op"].lower(), tuple(header["pkey"])
    letter, _, key = type_.partition(":")
    return _OPERATIONS.get(letter, "insert"), tuple(key.split(",")) if key else ()


def _read(operation: str, key: tuple[str, ...], sent: Sent) -> _Asked:
    """BadEventError if an event cannot be read."""
    if sent.type in {"I", "U", "D"}:
        return _read_sql(operation, sent)
    row = _decoded(sent.data)
    before = _decoded(sent.old) if sent.old else row
    return _Asked(row, key, before)


def _read_sql(operation: str, sent: Sent) -> _Asked:
    try:
        found = skytools.parse_sqltriga_sql(sent.type, sent.data, splitkeys=True)
    except ValueError:
        raise BadEventError from None
    assert isinstance(found, tuple), "keys are split off"
    key, values = (dict(each) for each in found)
    if operation == "insert":
        return _Asked(values, (), {})
    if operation == "delete":
        return _Asked({}, tuple(key), key)
    if sent.old:
        before = _decoded(sent.old)
        return _Asked(before | values, tuple(key), before)
    return _Asked(values, tuple(key), key, whole=False)


def _decoded(text: str) -> Row:
    """The values of JSON or url-encoded text."""
    if text.startswith("{"):
        try:
            found = json.loads(text)
        except ValueError:
            raise BadEventError from None
        # JSON writes timestamps in another way than PostgreSQL does.
        return {
            name: None if value is None else re.sub(_OF_JSON, " ", str(value))
            for name, value in found.items()
        }
    if re.search(r"%(?![0-9A-Fa-f]{2})", text):
        raise BadEventError
    row: Row = {}
    for element in filter(None, text.split("&")):
        name, equals, value = element.partition("=")
        row[unquote_plus(name)] = unquote_plus(value) if equals else None
    return row
