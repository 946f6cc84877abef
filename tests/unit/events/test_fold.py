"""The fold of blocks, compiled and pure: both read lines alike."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import EllipsisType
from urllib.parse import quote_plus

import skytools
from harness.rows.folds import FOLDS, PREFIXES, Make, description, made, told, with_given
from hypothesis import given, settings
from hypothesis import strategies as st
from tdsup.dispatcher.events import _fold
from tdsup.dispatcher.events.folded import BY_EVENT_TIME, NO_MARK, NOT_PARTITIONED, Deed, Some, Stop
from tdsup.dispatcher.events.moment import Dial
from tdsup.dispatcher.events.purefold import PureFold
from tdsup.dispatcher.events.scan import Writing
from tdsup.dispatcher.postgres import copytext

# Lines as triggers write them, and such as they never do.

VALUE = st.one_of(
    st.none(),
    st.sampled_from(["", "a", "it's", "\\", "\t\n\r", "€ 😀", "\\N", "%", "'", '"', " where ", "null"]),
    st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=5),
)
DAY = st.sampled_from(
    """2026-11-24 2026-11-24+23:59:59 2026-11-25 2026-11-25T10:00 2024-02-29 2023-02-29 2026-11-24+24:00:00
    2026-11-24+10:00:00.5+02 2026-11-23 infinity 0000-01-01 2026-1-5 2026-11-24+10:00:60
    2026-11-25+01:00:00+02:00:01 2026-11-23+23:00:00.1234567-01:30 2026-11-24+10:59:59.1234567-16
    2026-11-24+10:00+02: 1795478400 1795478400000.5 -0.5 -1500 1e9 1795478400. 9999-01-01""".split()
)
KEY = st.sampled_from(["1", "2", "3", "10", ""])
Row = dict[str, str | None]


@st.composite
def rows(draw: st.DrawFn) -> Row:
    """A row, perhaps without some columns, or with an unknown one."""
    row: Row = {"id": draw(KEY), "day": draw(DAY).replace("+", " ", 1), "note": draw(VALUE), "x": draw(VALUE)}
    for name in draw(st.sets(st.sampled_from(["day", "note", "x", "x", "id"]), max_size=1)):
        del row[name]
    if draw(st.integers(0, 20)) == 0:
        row["strange"] = "1"
    return row


def urlencoded(row: Row) -> str:
    """As logutriga writes it."""
    names = {"note": "no%74e"}
    return "&".join(
        names.get(name, name) + ("" if value is None else "=" + quote_plus(value))
        for name, value in row.items()
    )


def constant(value: str | None) -> str:
    """As sqltriga writes it."""
    if value is None:
        return "null"
    doubled = value.replace("'", "''")
    return "E'" + doubled.replace("\\", "\\\\") + "'" if "\\" in value else f"'{doubled}'"


def sql(row: Row, joint: str = ",") -> str:
    """Pairs of sqltriga."""
    names = {"day": '"day"'}
    return joint.join(f"{names.get(name, name)}={constant(value)}" for name, value in row.items())


def inserted(row: Row) -> str:
    """An insert of sqltriga."""
    names = ",".join('"day"' if name == "day" else name for name in row)
    return f"({names}) values ({','.join(map(constant, row.values()))})"


def changes(row: Row) -> str:
    """An update of sqltriga."""
    key = {"id": row.get("id", "7")}
    return f"{sql({name: value for name, value in row.items() if name != 'id'})} where {sql(key)}"


WRITERS: dict[Writing, Callable[[Row], str]] = {
    Writing.URLENCODED: urlencoded,
    Writing.JSON: lambda row: json.dumps(row, ensure_ascii=len(row) % 2 == 0),
    Writing.VALUES: inserted,
    Writing.CHANGES: changes,
    Writing.CONDITIONS: lambda row: sql({"id": row.get("id")}, " and "),
    Writing.EITHER: lambda row: urlencoded(row) if len(row) % 2 else json.dumps(row),
    Writing.UNREAD: str,
}

BROKEN = st.sampled_from(
    ["%", "%4", "\\", "'", '"', "{", "}", "&", "&&", ",", " ", "\\u", "\\ud83d", "=", "[1]", "1e5"]
)


@st.composite
def lines(draw: st.DrawFn) -> bytes:
    """A line; one in ten has a piece put in somewhere."""
    prefix = draw(st.sampled_from(PREFIXES))
    data = WRITERS[prefix.writing](draw(rows()))
    if draw(st.integers(0, 9)) == 0:
        at = draw(st.integers(0, len(data)))
        data = data[:at] + draw(BROKEN) + data[at:]
    number = draw(st.sampled_from([b"7", b"8", b"\t\\", b"\b", b"\r", None]))
    fields = [number, None, prefix.type, data.encode(), None if prefix.table == b"\\N" else prefix.table]
    if prefix.deed is Deed.UPDATE and draw(st.booleans()):
        old = draw(rows())
        writing = (
            Writing.URLENCODED
            if prefix.writing is Writing.CHANGES and draw(st.booleans())
            else prefix.writing
        )
        fields.append(WRITERS[writing](old).encode())
    line = copytext.line(fields)
    end = line.index(b"\t") + 1
    return line[:end] + line[end:].replace(b"\\N", draw(DAY).replace("+", " ", 1).encode(), 1)


def passes(values: Some) -> bool | None:
    """Lets rows pass whose values are long or short, and tells nothing of absent ones."""
    lengths = [len(value or b"") for value in values if not isinstance(value, EllipsisType)]
    return None if len(lengths) < len(values) else sum(lengths) % 11 < 6


def hidden(values: Some) -> Some | None:
    """Masks values by their lengths, some by NULL; tells nothing of those of two bytes."""
    if any(isinstance(value, bytes) and len(value) == 2 for value in values):
        return None
    return tuple(
        (b"%d\t\\" % len(value) if len(value) % 3 else None) if isinstance(value, bytes) else value
        for value in values
    )


def hooked(sifted: tuple[int, ...], masked: tuple[int, ...]) -> dict[str, object]:
    """Functions that look at some columns, for a description."""
    return {
        "sifted": sifted,
        "sift": passes if sifted else None,
        "masked": masked,
        "mask": hidden if masked else None,
    }


@settings(max_examples=400)
@given(
    st.lists(lines(), max_size=12),
    st.sampled_from([NOT_PARTITIONED, BY_EVENT_TIME, 1]),
    st.sampled_from([(), (0,), (0, 2)]),
    st.tuples(
        *[st.booleans()] * 3, st.integers(1, 4), st.sampled_from(Dial), st.sampled_from([None, NO_MARK, 3])
    ),
    st.builds(hooked, st.sampled_from([(), (3,), (2, 1)]), st.sampled_from([(), (2,), (3, 0)])),
)
def test_the_compiled_fold_is_the_pure_one(
    block: list[bytes],
    part: int,
    key: tuple[int, ...],
    choices: tuple[bool, bool, bool, int, Dial, int | None],
    hooks: dict[str, object],
) -> None:
    """Whatever the lines: both stop at the same byte for the same reason, and tell the same."""
    replaces, all_loaded, apart, least, dial, mark = choices
    prefixes = (
        PREFIXES if key else tuple(each for each in PREFIXES if each.deed in {Deed.INSERT, Deed.NOTHING})
    )
    described = description(
        prefixes=prefixes,
        part=part,
        key=key,
        replaces=replaces,
        least=least,
        dial=dial,
        apart=apart,
        loaded=(True, all_loaded, True, all_loaded),
        **hooks,
    )
    if mark is not None:
        described = with_given(described, mark=mark)
    compiled, pure = made(_fold.Fold, described), made(PureFold, described)
    text, at = b"".join(block), 0
    while at < len(text):
        end, why = compiled.add(text, at)
        assert (end, why) == pure.add(text, at)
        assert compiled.counts() == pure.counts()
        if why == Stop.FULL and end > at:
            assert told(compiled) == told(pure)
            compiled.clear()
            pure.clear()
            at = end
        else:
            at = text.index(b"\n", end) + 1 if end < len(text) else end
    assert told(compiled) == told(pure)


def inserted_line(data: bytes) -> bytes:
    """A line with a row to add."""
    return copytext.line([b"7", b"x", PREFIXES[0].type, data, PREFIXES[0].table])


@FOLDS
@given(values=st.lists(VALUE, min_size=3, max_size=3))
def test_values_are_those_of_skytools(make: Make, values: list[str | None]) -> None:
    """As its decoder reads them."""
    data = urlencoded({"id": "1", **dict(zip(("day", "note", "x"), values, strict=True))})
    fold = make(description())
    assert fold.add(inserted_line(data.encode()), 0)[1] == Stop.ALL
    fold.groups()
    assert fold.text(0, (2,), b"7\t") == b"7\t" + fold.text(0, (2,))
    found = copytext.split(fold.text(0, (0, 1, 2, 3)))
    assert [None if each is None else each.decode() for each in found] == list(
        skytools.db_urldecode(data).values()
    )
