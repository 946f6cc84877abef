"""The syntax of ini files, old and new."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tdsup.supervisor.config.inifile import SyntaxFault, parse

READINGS = {
    "a trailing comment, as Python 2 strips it": ("[s]\na = b ; c", {"a": "b"}),
    "a semicolon without space is value": ("[s]\na = b;c ;d", {"a": "b;c ;d"}),
    "only a comment is no value": ("[s]\na = ; c", {"a": ""}),
    "colon and equals sign": ("[s]\na: b\nc=d=e", {"a": "b", "c": "d=e"}),
    "keys are lower case": ("[s]\nAbC = x", {"abc": "x"}),
    "lines of a value are kept": ("[s]\na =\n  b;\n  c ;\n", {"a": "\nb;\nc ;"}),
    "comments and blanks inside a value": ("[s]\na = b\n# no\n  # no\n; no\n\n  c", {"a": "b\nc"}),
    "the last of two keys wins": ("[s]\na = 1\na = 2", {"a": "2"}),
    "defaults": ("[DEFAULT]\nx = 1\n[s]\na = %(x)s", {"a": "1", "x": "1"}),
    "an injected name": ("[s]\na = %(given)s", {"a": "100%"}),
    "a doubled percent sign": ("[s]\na = %%(x)s 100%%", {"a": "%(x)s 100%"}),
    "a reference without s": ("[s]\nb = 1\na = log/%(b)", {"b": "1", "a": "log/1"}),
    "a byte order mark": ("\N{ZERO WIDTH NO-BREAK SPACE}[s]\na = b", {"a": "b"}),
    "line ends of Windows": ("[s]\r\na = b\r\n", {"a": "b"}),
}


@pytest.mark.parametrize("name", READINGS)
def test_how_a_text_is_read(name: str) -> None:
    """Each of these is read as Python 2, or the old manual page, meant it."""
    text, expected = READINGS[name]
    ini = parse(text, "s")
    assert ini.faults == []
    values = ini.interpolate("s", {"given": "100%"}, extended=False)
    assert {key: value for key, value in values.items() if key != "given"} == expected


def test_a_lenient_reading_is_a_warning_with_its_line() -> None:
    """For a missing header, a key given twice and a mended reference; section and key are named."""
    assert parse("a = 1\na = %(b)\n", "s").warnings == {
        "s": [
            "line 1: no section header before the first key; read as [s]",
            "line 2: [s] a: given twice; this one wins over line 1",
            "line 2: [s] a: %(name) without s is read as %(name)s",
        ]
    }


def test_a_section_alone_knows_nothing_of_the_others() -> None:
    """It has none of their keys, warnings and references, and changes to it do not reach the file."""
    text = "[DEFAULT]\nx = 1\n[a]\nb = %(x)s\nb = 2\n[c]\nd = %(e)s\nd = 1\n"
    ini = parse(text, "s")
    alone = ini.alone("c")
    assert alone.headers() == ["c"]
    assert (alone.referenced(), ini.alone("a").referenced()) == (set(), set())
    assert alone.warnings == {"DEFAULT": [], "c": ["line 8: [c] d: given twice; this one wins over line 7"]}
    alone.sections["DEFAULT"].clear()
    alone.warn("c", "another one")
    assert ini.interpolate("a", {}, extended=False) == {"x": "1", "b": "2"}
    assert len(ini.warnings["c"]) == 1


def test_a_line_that_makes_no_sense_is_a_fault_with_its_number() -> None:
    """All such lines are found."""
    faults = parse("[s]\na = 1\nwhat is this\n[t\n", "s").faults
    assert [fault.partition(":")[0] for fault in faults] == ["line 3", "line 4"]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (
            "%(nowhere)s",
            "[s] a: refers to nowhere, which is not set; write a % (or $) of the text twice",
        ),
        ("100%", "line 2: [s] a: has a % (or $) that starts no reference; write it twice"),
        ("%(a)s", "[s] a: refers to itself"),
    ],
)
def test_a_reference_that_leads_nowhere_is_a_fault(value: str, reason: str) -> None:
    """In one line that names section and key."""
    with pytest.raises(SyntaxFault) as caught:
        parse(f"[s]\na = {value}", "s").interpolate("s", {}, extended=False)
    assert str(caught.value) == reason


def test_the_second_format_refers_by_dollar() -> None:
    """With config_format = 2, percent signs mean nothing."""
    ini = parse("[s]\nconfig_format = 2\nb = 5\na = ${b} 100% $$", "s")
    assert ini.interpolate("s", {}, extended=True)["a"] == "5 100% $"


@pytest.mark.parametrize("line", ["a{}b", "a{}", "a ={}b", "[s{}", "{}a"])
@pytest.mark.parametrize("filling", [" ", "\t", "%", "%(", "%(a", "=", ";", "[", "${"])
def test_a_long_line_is_read_quickly(line: str, filling: str) -> None:
    """No search goes back over what it has read: 200,000 characters take a moment, not minutes."""
    begun = time.thread_time()
    ini = parse("[s]\nkey = value\n" + line.format(filling * 200_000), "s")
    for extended in (False, True):
        with contextlib.suppress(SyntaxFault):
            ini.interpolate("s", {}, extended)
    assert time.thread_time() - begun < 5


@given(st.text())
def test_no_text_is_too_strange(text: str) -> None:
    """Any text is read or has faults; nothing but faults is raised."""
    ini = parse(text, "s")
    for section in ini.headers():
        for extended in (False, True):
            with contextlib.suppress(SyntaxFault):
                ini.interpolate(section, {}, extended)
