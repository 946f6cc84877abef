"""What events of every format ask for."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tdsup.dispatcher.events import sqltext
from tdsup.dispatcher.events.change import Change, read_change
from tdsup.dispatcher.events.event import Event
from tdsup.dispatcher.events.header import MAX_HEADER_BYTES, Format, Header, Operation, read_header
from tdsup.dispatcher.postgres import copytext

KEY = (b"id", b"k2")


def event(type_: bytes, data: bytes | None, old: bytes | None = None) -> Event:
    """An event of a type with data, and perhaps the row before."""
    return Event.from_line(
        copytext.line(
            [b"7", b"2026-11-24 10:00:00+00", b"1", None, type_, data, b"public.t", old, None, None]
        )
    )


def read(given: Event) -> Change:
    """The change of an event, read by way of its header."""
    return read_change(given.header(), given)


@pytest.mark.parametrize(
    ("given", "change"),
    [
        (
            event(b"I:id,k2", b"id=1&k2=a+b&n"),
            Change(Operation.INSERT, {b"id": b"1", b"k2": b"a b", b"n": None}, KEY),
        ),
        (event(b"I:", b"id=1"), Change(Operation.INSERT, {b"id": b"1"})),
        (event(b"U:id", b"id=1&t=x"), Change(Operation.UPDATE, {b"id": b"1", b"t": b"x"}, (b"id",))),
        (
            event(b"U:id", b"id=1&t=x", b"id=1&t=y"),
            Change(Operation.UPDATE, {b"id": b"1", b"t": b"x"}, (b"id",), {b"id": b"1", b"t": b"y"}),
        ),
        (event(b"D:id", b"id=1&t=x"), Change(Operation.DELETE, {b"id": b"1", b"t": b"x"}, (b"id",))),
        (event(b"R", b""), Change(Operation.TRUNCATE, {})),
        (event(b"R", None), Change(Operation.TRUNCATE, {})),
        (
            event(
                b'{"op":"INSERT","table":["public","t"],"pkey":["id","k2"]}',
                b'{"id":1,"k2":"a\'b\\\\c\\n\xc3\xa9","n":"1.50","f":1.50,"b":true,"z":null,"j":{"a":[1.0,"x"]}}',
            ),
            Change(
                Operation.INSERT,
                {
                    b"id": b"1",
                    b"k2": b"a'b\\c\n\xc3\xa9",
                    b"n": b"1.50",
                    b"f": b"1.50",
                    b"b": b"true",
                    b"z": None,
                    b"j": b'{"a": [1.0, "x"]}',
                },
                KEY,
            ),
        ),
        (
            event(
                b'{"op":"UPDATE","table":["public","t"],"pkey":["id"]}',
                b'{"id":1,"t":"x"}',
                b'{"id":1,"t":"y"}',
            ),
            Change(Operation.UPDATE, {b"id": b"1", b"t": b"x"}, (b"id",), {b"id": b"1", b"t": b"y"}),
        ),
        (
            event(b'{"op":"DELETE","table":["public","t"],"pkey":["id"]}', b'{"id":1,"t":"x"}'),
            Change(Operation.DELETE, {b"id": b"1", b"t": b"x"}, (b"id",)),
        ),
        (
            event(b'{"op":"TRUNCATE","table":["public","t"],"pkey":["id"]}', b"{}"),
            Change(Operation.TRUNCATE, {}),
        ),
        (
            event(b"I", b"(id,k2,\"We\"\"ird\") values ('1',E'a''b\\\\c',null)"),
            Change(Operation.INSERT, {b"id": b"1", b"k2": b"a'b\\c", b'We"ird': None}),
        ),
        (
            event(b"U", b"txt='it''s',n=NULL where id='1' and k2=E'\\\\'"),
            Change(
                Operation.UPDATE,
                {b"id": b"1", b"k2": b"\\", b"txt": b"it's", b"n": None},
                KEY,
                {b"id": b"1", b"k2": b"\\"},
                whole=False,
            ),
        ),
        (
            event(b"U", b"txt='new' where id='1'", b"id=1&txt=old&n=5"),
            Change(
                Operation.UPDATE,
                {b"id": b"1", b"txt": b"new", b"n": b"5"},
                (b"id",),
                {b"id": b"1", b"txt": b"old", b"n": b"5"},
            ),
        ),
        (
            event(b"U", b"txt='new' where id='1'", b"txt='null where id=1' where id='1'"),
            Change(
                Operation.UPDATE,
                {b"id": b"1", b"txt": b"new"},
                (b"id",),
                {b"id": b"1", b"txt": b"null where id=1"},
                whole=False,
            ),
        ),
        (
            event(b"U", b"id='1' where id='1'", b"id='1' where id='1'"),
            Change(Operation.UPDATE, {b"id": b"1"}, (b"id",), {b"id": b"1"}, whole=False),
        ),
        (event(b"D", b"id='2'"), Change(Operation.DELETE, {b"id": b"2"}, (b"id",), whole=False)),
        (event(b"click", b"id=1"), Change(Operation.INSERT, {b"id": b"1"})),
        (event(b"", b"id=1"), Change(Operation.INSERT, {b"id": b"1"})),
        (event(b"I", b"id=1&t=x"), Change(Operation.INSERT, {b"id": b"1", b"t": b"x"})),
        (event(b"R", b"id=1"), Change(Operation.INSERT, {b"id": b"1"})),
    ],
)
def test_formats(given: Event, change: Change) -> None:
    """Each trigger's types and the producers' own become the same kind of change."""
    assert read(given) == change


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (event(b"I:id", None), "its data is NULL"),
        (event(b"click", None), "its data is NULL"),
        (event(b"I:id", b"id=%zz"), "not url-encoded"),
        (event(b"{}", b"{}"), "its type is not one of jsontriga's"),
        (event(b'{"op":"MERGE"}', b"{}"), "its type is not one of jsontriga's"),
        (event(b'{"op":"INSERT","pkey":7}', b"{}"), "its type is not one of jsontriga's"),
        (event(b'{"op":"INSERT"}', b"[1]"), "its data is no JSON object"),
        (event(b'{"op":"INSERT"}', b'{"a":"\\ud800"}'), "its data is no JSON object"),
        (event(b'{"op":"INSERT"}', b'{"a":\xff}'), "its data is no JSON object"),
        (event(b'{"op":"INSERT"}', b'{"a":' + b"[" * 100000), "its data is no JSON object"),
        (event(b"I", b"(id,t) values ('1')"), "columns and values differ"),
        (event(b"I", b"(id) values ('1'); drop table t"), "its data is no row of sqltriga"),
        (event(b"I", b"(id) values (now())"), "cannot read on at byte"),
        (event(b"U", b"t='x'"), "it has no where"),
        (event(b"U", b"t='x' where id='1' and 1=1"), "cannot read on at byte"),
        (event(b"D", b"id='1', t='x'"), "it goes on with ,"),
    ],
)
def test_data_that_contradicts_its_type_is_refused(given: Event, reason: str) -> None:
    """With a reason that people can read; nothing of it is executed."""
    with pytest.raises(ValueError, match=reason):
        read(given)


@pytest.mark.parametrize(
    ("type_", "has_data", "header"),
    [
        (b"pgq.tick-id", True, Header(None, Format.NO_ROW, b"t")),
        (b"U:id,k2", True, Header(Operation.UPDATE, Format.URLENCODED, b"t", KEY)),
        (b"D", True, Header(Operation.DELETE, Format.SQL, b"t")),
        (b"R", False, Header(Operation.TRUNCATE, Format.NO_ROW, b"t")),
        (b"R", True, Header(Operation.INSERT, Format.OWN, b"t")),
        (b"click", False, Header(Operation.INSERT, Format.OWN, b"t")),
        (b'{"op":"DELETE","pkey":["id"]}', True, Header(Operation.DELETE, Format.JSON, b"t", (b"id",))),
        (b"X" * MAX_HEADER_BYTES + b":id", True, Header(Operation.INSERT, Format.OWN, b"t")),
    ],
)
def test_a_header_tells_what_is_asked_for(type_: bytes, has_data: bool, header: Header) -> None:
    """Of the data it needs to know only whether there is any."""
    assert read_header(type_, b"t", has_data) == header


def quoted(value: str | None) -> str:
    """A constant as pgq.sqltriga writes it."""
    if value is None:
        return "null"
    text = value.replace("'", "''")
    return "E'" + text.replace("\\", "\\\\") + "'" if "\\" in text else f"'{text}'"


NAMES = st.text(min_size=1).filter(lambda name: "\0" not in name)
ROWS = st.dictionaries(NAMES, st.none() | st.text(), min_size=1)


@given(ROWS)
def test_sqltriga_text_round_trips(row: dict[str, str | None]) -> None:
    """With any quotes, commas, keywords and backslashes in names and values."""
    names = ",".join('"' + name.replace('"', '""') + '"' for name in row)
    wanted = {name.encode(): None if value is None else value.encode() for name, value in row.items()}
    text = f"({names}) values ({','.join(map(quoted, row.values()))})".encode()
    assert sqltext.looks_like(text)
    assert sqltext.insert(text) == wanted
    pairs = [f'"{name.replace(chr(34), chr(34) * 2)}"={quoted(value)}' for name, value in row.items()]
    assert sqltext.update(f"{','.join(pairs)} where {' and '.join(pairs)}".encode()) == (wanted, wanted)
    assert sqltext.delete(" and ".join(pairs).encode()) == wanted


@given(ROWS)
def test_json_round_trips(row: dict[str, str | None]) -> None:
    """With any text in the strings."""
    found = read(event(b'{"op":"INSERT"}', json.dumps(row).encode()))
    assert found.row == {
        name.encode(): None if value is None else value.encode() for name, value in row.items()
    }
