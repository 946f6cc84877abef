"""Conditions of the key ``where``: how they are read, and what they say of values."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from tdsup.dispatcher.postgres import Encoding
from tdsup.dispatcher.sieve import Sieve, read_condition

ROW: Mapping[str, bytes | None] = {
    "status": b"new",
    "amount": b"10.50",
    "paid": b"t",
    "note": None,
    "at": b"2026-11-24 10:00:00+00",
    "odd Name": b"it's",
    "code": b"007",
}

MATCHES = {
    "status = new": True,
    "status = 'new'": True,
    "STATUS is null or Status = new": None,
    "status != new": False,
    "status <> new": False,
    "status in (new, paid)": True,
    "status not in (new, paid)": False,
    "status in ('a,b', 'it''s')": False,
    "amount > 0": True,
    "amount = 10.5": True,
    "amount >= 1.05e1": True,
    "amount < .5": False,
    "amount > '9'": False,
    "amount in (7, 10.500)": True,
    "amount not in (-7, 8)": True,
    "paid = true": True,
    "paid != TRUE": False,
    "paid in (false)": False,
    "paid = 't'": True,
    "note is null": True,
    "note IS NOT NULL": False,
    "note = x": False,
    "note != x": False,
    "not note = x": False,
    "note in (x)": False,
    "note not in (x)": False,
    "note = x or status = new": True,
    "note = x and status = new": False,
    "not (note = x and status = old)": True,
    "not (note = x or status = old)": False,
    "not not status = new": True,
    "at >= 2026-11-24": True,
    "at < '2026-11-24 09:00'": False,
    "at>=2026-11-24 and at<2026-11-25": True,
    "\"odd Name\" = 'it''s'": True,
    "code = 7": True,
    "code = '7'": False,
    "status = old or status = new and amount > 100": False,
    "(status = old or status = new) and amount > 1": True,
    "status = old and amount > 100 or code = 7": True,
    "status\n=\n new\n": True,
    "status = old and status > 5": False,
    "status = new or status > 5": True,
}
"""Conditions, and whether `ROW` matches; None: it cannot be told."""


def passes(condition: str, row: Mapping[str, bytes | None] = ROW) -> bool | None:
    """Whether a row passes, both ways; None if that cannot be told."""
    sieve = Sieve(read_condition(condition))
    try:
        found = sieve.passes({name.encode(): value for name, value in row.items()})
    except ValueError:
        found = None
    assert sieve.sift(tuple(row.get(name.decode(), ...) for name in sieve.columns)) is found
    return found


@pytest.mark.parametrize("condition", MATCHES)
def test_whether_a_row_matches(condition: str) -> None:
    """NULL matches nothing but `is null`; what a constant is says how it is compared."""
    assert passes(condition) is MATCHES[condition]


BAD = {
    "status > 5": "its column status is no number, and where compares it with one",
    "status in (5)": "its column status is no number, and where compares it with one",
    "status = true": "its column status is no boolean, and where compares it with one",
    "size = 5": "it has no column size, which where names",
    "status = new or size = 5": "it has no column size, which where names",
}


@pytest.mark.parametrize("condition", BAD)
def test_why_it_cannot_be_told(condition: str) -> None:
    """The reason names the column, and shows no value."""
    with pytest.raises(ValueError, match=f"^{BAD[condition]}$"):
        Sieve(read_condition(condition)).passes({name.encode(): value for name, value in ROW.items()})


@pytest.mark.parametrize(
    ("value", "found"),
    [(b"NaN", True), (b"Infinity", True), (b"-Infinity", False), (b"1e400", True), (b"-0", False)]
    + [(value, None) for value in (b"", b" 1", b"1_000", b"0x10", b"1e", b"nan", b"\xff", b"1\n")],
)
def test_odd_numbers(value: bytes, found: bool | None) -> None:
    """PostgreSQL's numbers are numbers, NaN the largest; nothing else is one."""
    assert passes("amount > 0", {"amount": value}) is found


VALUE, NUMBER, END = (
    "a value is expected",
    "a number or text is expected, as",
    "and, or, or the end is expected",
)
QUOTES = "as before (in quotes, all is text)"
FOR_NULL = f"{VALUE} (for NULL there is: is null)"
SIGNS = "is compared by is expected: = != <> < <= > >=, in, is"
TOO_DEEP = "nothing so deep within parentheses can be read"

FAULTS = {
    "status": f"at its end, what status {SIGNS}",
    "status =": f"at its end, {VALUE}",
    "status = new new": f"at character 14, before 'new', {END}",
    "status = null": f"at character 10, before 'null', {FOR_NULL}",
    "status in (new, null)": f"at character 17, before 'null', {FOR_NULL}",
    "status in (new, 5)": f"at character 17, before '5', a text is expected, {QUOTES}",
    "status in ()": f"at character 12, before ')', {VALUE}",
    "status in new": "at character 11, before 'new', ( is expected",
    "status in (new": "at its end, ) is expected",
    "status not new": "at character 12, before 'new', in is expected",
    "status is new": "at character 11, before 'new', null is expected",
    "(status = new": "at its end, ) is expected",
    "status = new)": f"at character 13, before ')', {END}",
    "and status = new": "at character 1, before 'and', the name of a column is expected",
    "1 = status": "at character 1, before '1', the name of a column is expected",
    "status = 'new": f'at character 10, before "\'", {VALUE}',
    "paid > true": f"at character 8, before 'true', {NUMBER} true and false have no order",
    "status == new": f"at character 9, before '=', {VALUE}",
    "lower(status) = new": f"at character 6, before '(', what lower {SIGNS}",
    "status = new; drop table t": f"at character 15, before 'drop', {END}",
    "(" * 200: f"at character 101, before '(', {TOO_DEEP}",
    "not " * 200 + "a = b": f"at character 401, before 'not', {TOO_DEEP}",
}
"""Conditions, and what is said of them."""


@pytest.mark.parametrize("condition", FAULTS, ids=lambda text: text[:20])
def test_what_cannot_be_read(condition: str) -> None:
    """The message shows the place and says what is missing there."""
    with pytest.raises(ValueError, match="must be") as failed:
        read_condition(condition)
    assert str(failed.value) == f"must be such as status in (new, paid) and amount > 0; {FAULTS[condition]}"


@pytest.mark.parametrize(
    ("condition", "value", "found"),
    [("a = é", b"\xe9", True), ("a > é", b"\xea", True), ("a < z", b"\xe9", False)],
)
def test_other_encodings(condition: str, value: bytes, found: bool) -> None:
    """Texts are compared by their characters, whatever bytes the source has for them."""
    assert Sieve(read_condition(condition), encoding=Encoding("LATIN1")).passes({b"a": value}) is found


def test_what_is_no_text() -> None:
    """Bytes that are no characters in the source's encoding match nothing: the event is bad."""
    with pytest.raises(ValueError, match="no character in encoding EUC_JP"):
        Sieve(read_condition("a = é"), encoding=Encoding("EUC_JP")).passes({b"a": b"\xff"})
