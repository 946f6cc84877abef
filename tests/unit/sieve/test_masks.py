"""Masks: how they are read, what they make of values, and of events that are kept."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import quote_plus

import pytest
from harness.rows.job import settings_of
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from tdsup.dispatcher.errors import BatchError, SetupError
from tdsup.dispatcher.events import Event, Operation, read_change
from tdsup.dispatcher.postgres import UTF8, Encoding, copytext
from tdsup.dispatcher.sieve import Masking, Sieve, read_masks

KEY = "0123456789abcdef0123456789abcdef"
MASKS = "email: hmac, name: null, phone: 'it''s, hidden'"
JOB = {"src_db": "dbname=s", "dst_db": "dbname=t", "pgq_queue_name": "q", "dest_table": "t"}


@pytest.fixture(scope="module")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A file with `KEY`."""
    path = tmp_path_factory.mktemp("masks") / "key"
    path.write_text(KEY + "\n", encoding="utf-8")
    return str(path)


@pytest.fixture(scope="module")
def sieve(key_file: str) -> Sieve:
    """One with `MASKS`."""
    return masking(key_file)


def masking(key_file: str, encoding: Encoding = UTF8, masks: str = MASKS) -> Sieve:
    """A sieve that only masks."""
    return Sieve(None, Masking(read_masks(masks), key_file, encoding), encoding)


def digest(text: str) -> str:
    """What becomes of an email."""
    return hmac.new(KEY.encode(), text.encode(), hashlib.sha256).hexdigest()


def event(type_: str, data: bytes | None, old: bytes | None = None) -> Event:
    """An event of the queue."""
    fields = [b"7", b"2026-11-24 10:00:00+00", b"1", None, type_.encode(), data, b"public.t", old, b"x", b"y"]
    return Event.from_line(copytext.line(fields))


JSON_INSERT = '{"op":"INSERT","table":["public","t"],"pkey":["id"]}'
JSON_UPDATE = JSON_INSERT.replace("INSERT", "UPDATE")

ROWS = {
    "url-encoded": ("I:id", b"id=1&email=a%40b+c&name=Ann&phone=&n=%c3%a9"),
    "an update": ("U:id", b"id=1&email=a%40b+c&name=Ann&phone=1&n=%c3%a9"),
    "a name twice, encoded": ("I:id", b"e%6dail=secret&id=1&email=a%40b+c&name&phone=2&n=%c3%a9"),
    "json": (JSON_INSERT, '{"id":1, "email":"a@b c", "name":"Ann", "phone":[1,2], "n":"é"}'.encode()),
    "json of one's own": ("placed", b'{"id":1.50,"email":"a@b c","name":{"x":null},"phone":7,"n":true}'),
    "sqltriga": ("I", b"(id,\"email\",name,phone,n) values ('1','a@b c',null,'2',E'it''s \\\\')"),
}


@pytest.mark.parametrize("name", ROWS)
def test_values_are_masked(sieve: Sieve, name: str) -> None:
    """Whatever the format: equal values stay equal, and NULL stays NULL."""
    found = event(*ROWS[name])
    plain = read_change(found.header(), found).row
    row = sieve.read(found.header(), found).row
    assert list(row) == list(plain)
    assert row[b"email"] == digest("a@b c").encode()
    assert row[b"name"] is None
    assert row[b"phone"] == b"it's, hidden"
    assert [row[b"id"], row[b"n"]] == [plain[b"id"], plain[b"n"]]


LETTERS: dict[str, tuple[str, bytes, bytes | None]] = {
    **{name: (*row, None) for name, row in ROWS.items()},
    "an old row": ("U:id", b"id=1&email=a&name=b&phone=c", b"id=1&email=old&name=secret&phone=d"),
    "an old row of json": (
        JSON_UPDATE,
        b'{"id":1,"email":"secret","name":1,"phone":null}',
        b'{"id":1,"email":"secret","name":"Ann"}',
    ),
    "an update of sqltriga": ("U", b"email='secret',n='1' where id='7' and phone='secret'", None),
    "its old row": ("U", b"email='secret' where id='7'", b"id=7&email=secret&name=secret&phone=5"),
    "its old row, without C": ("U", b"email='secret' where id='7'", b"email='secret',name=null where id='7'"),
    "a delete of sqltriga": ("D", b"email='secret'", None),
    "a delete": ("D:email", b"email=secret&id=1", None),
}


@pytest.mark.parametrize("name", LETTERS)
def test_a_dead_letter_holds_what_is_masked(sieve: Sieve, name: str) -> None:
    """In the event's own format; read again, it is what was read first, and no mask is put on twice."""
    found = event(*LETTERS[name])
    kept = Event.from_line(sieve.letter(found))
    for text in (b"secret", b"a@b", b"a%40b", b"Ann"):
        assert text not in kept.line
    assert copytext.split(kept.line)[8:] == [b"x", None]
    header = found.header()
    assert kept.header() == header
    wanted = sieve.read(header, found)
    assert sieve.read(header, kept, is_letter=True) == wanted
    other = event(*LETTERS[name])
    assert sieve.letter(other) == kept.line


UNREADABLE = {
    "url-encoded": ("I:id", b"id=1&email=%zzsecret"),
    "no row": ("I:id", b"secret thing"),
    "json": (JSON_INSERT, b'{"email":"secret"'),
    "sqltriga": ("U", b"email='secret' were id='7'"),
    "its header": ('{"op":"SECRET"}', b'{"email":"secret"}'),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_cannot_be_read_is_not_kept(sieve: Sieve, name: str) -> None:
    """Neither in a dead letter nor in the reason is there anything of it."""
    found = event(*UNREADABLE[name])
    kept = Event.from_line(sieve.letter(found))
    assert (kept.data, kept.old, kept.id, kept.type) == (None, None, found.id, found.type)
    if name != "its header":
        with pytest.raises(ValueError, match="its data cannot be read, and is not shown, as mask hides"):
            sieve.read(found.header(), found)


VALUES = st.one_of(st.none(), st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=9))


def constant(value: str | None) -> str:
    """As sqltriga writes it."""
    return "null" if value is None else "'" + value.replace("'", "''") + "'"


WRITERS: Mapping[str, Callable[[Mapping[str, str | None]], str]] = {
    JSON_INSERT: json.dumps,
    "I:id": lambda row: "&".join(
        quote_plus(name) + ("" if value is None else "=" + quote_plus(value)) for name, value in row.items()
    ),
    "I": lambda row: (
        f"({','.join(map(quoted, row))}) values ({','.join(constant(value) for value in row.values())})"
    ),
    "U": lambda row: (
        ",".join(f"{quoted(name)}={constant(value)}" for name, value in row.items()) + " where id='1'"
    ),
}
"""Data of each type of event."""


def quoted(name: str) -> str:
    """As SQL has it."""
    return '"' + name.replace('"', '""') + '"'


@pytest.mark.parametrize("type_", WRITERS)
@given(
    row=st.fixed_dictionaries(
        {"email": VALUES, "name": VALUES, "phone": VALUES}, optional={"é %": VALUES, "a b": VALUES}
    )
)
def test_letters_of_any_row(sieve: Sieve, type_: str, row: Mapping[str, str | None]) -> None:
    """They are read as they were read first; and nothing else of them is changed."""
    found = event(type_, WRITERS[type_](row).encode())
    header = found.header()
    wanted = sieve.read(header, found)
    assert sieve.read(header, Event.from_line(sieve.letter(found)), is_letter=True) == wanted
    expected = {
        **row,
        "email": None if row["email"] is None else digest(row["email"]),
        "name": None,
        "phone": None if row["phone"] is None else "it's, hidden",
    }
    values = {name.decode(): None if value is None else value.decode() for name, value in wanted.row.items()}
    assert {name: values[name] for name in row} == expected


def test_letters_of_before_are_masked_when_they_are_replayed(sieve: Sieve) -> None:
    """A letter of before there was a mask holds values as they were."""
    found = event(*ROWS["url-encoded"])
    assert sieve.read(found.header(), found, is_letter=True) == sieve.read(found.header(), found)


def test_a_row_without_the_column_blocks_the_job(sieve: Sieve) -> None:
    """Its name may be wrong, and the values of another column go out; deletes and parts of rows tell less."""
    found = event("I:id", b"id=1&e_mail=secret&name=&phone=")
    with pytest.raises(BatchError, match="a row has no column email, which mask names: correct mask"):
        sieve.read(found.header(), found)
    for type_, data in (("D:id", b"id=1"), ("U", b"n='1' where id='1'")):
        part = event(type_, data)
        assert sieve.read(part.header(), part).operation in {Operation.DELETE, Operation.UPDATE}


def test_digests_are_of_characters(key_file: str) -> None:
    """Whatever the source's encoding; a constant that this lacks is no mask."""
    latin = masking(key_file, Encoding("LATIN1"), "email: hmac")
    assert latin.mask((b"\xe9",)) == (digest("é").encode(),)
    with pytest.raises(SetupError, match="cannot mask column phone: encoding LATIN1 lacks the character"):
        masking(key_file, Encoding("LATIN1"), "phone: '€'")


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (None, "cannot read mask_key_file .*: No such file or directory"),
        ("", "mask_key_file .*: it is empty, and 16 are the least; openssl rand -hex 32 makes one"),
        ("short\n", "mask_key_file .*: it has 5 bytes, and 16 are the least"),
    ],
)
def test_without_a_key_nothing_is_loaded(tmp_path: Path, content: str | None, fault: str) -> None:
    """The message names the file and shows nothing of it."""
    path = tmp_path / "key"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(SetupError, match=fault) as failed:
        masking(str(path))
    assert "short" not in str(failed.value)


FAULTS: Mapping[str, tuple[Mapping[str, object], str]] = {
    "no mask": ({"mask": "email"}, "must be such as email: hmac, name: null, phone: 'unknown'"),
    "a comma at the end": ({"mask": "email: null,"}, "must be such as"),
    "another word": (
        {"mask": "email: md5"},
        "must have hmac, null or a text in quotes for each column",
    ),
    "twice": ({"mask": "a: null, a: 'x'"}, "must name no column twice, and names a"),
    "no key": ({"mask": "email: hmac"}, "must name a file with a secret key, which hmac in mask needs"),
    "the partition": (
        {"mask": "day: null", "part_field": "day"},
        "must not mask day, which part_field names",
    ),
    "the condition": (
        {"mask": "email: 'x'", "where": "email is not null and not email in (a)"},
        "must not mask email, which where compares",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_cannot_be(name: str) -> None:
    """Before the job starts."""
    keys, fault = FAULTS[name]
    with pytest.raises(ValidationError, match=fault):
        settings_of(**{**JOB, **keys})


def test_what_may_be() -> None:
    """A condition may ask whether a masked column is NULL; a name may be in quotes."""
    settings = settings_of(
        **JOB, mask='email: hmac, "a ""b": \'\'', mask_key_file="key", where="email is null"
    )
    assert list(settings.mask.of) == ["email", 'a "b']
    assert settings_of(**JOB).mask.of == settings_of(**JOB, mask=" ").mask.of == {}
