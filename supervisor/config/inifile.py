"""The syntax of ini files, as Python 2 and 3 and the old manual page write them.

This file knows lines and keys; what a key means, `jobconfig` knows. All that Python 2's ConfigParser accepted
is accepted. A line that is read differently from how it is written gets a warning with its number.
"""

from __future__ import annotations

import configparser
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

DEFAULTS = "DEFAULT"
"""Section whose keys all others inherit."""

_HEADER = re.compile(r"\[(?P<name>[^]]+)\]")
_KEY = re.compile(r"(?P<key>[^:=\s][^:=]*)[:=]\s*(?P<value>.*)")
_REFERENCE = re.compile(r"%%|%\((?P<name>[^()]+)\)(?P<s>s?)")
_NO_SECOND_JOB = "makes no second job: its keys are added to the first; give the other job a file of its own"
_LONE_MARK = "has a % (or $) that starts no reference; write it twice"
_WELL_MARKED = {"%": re.compile(r"%%|%\([^()%]+\)s"), "$": re.compile(r"\$\$|\$\{[^{}$]+\}")}
"""All that may start with a mark, by the mark."""
_REFERRED = {"%": re.compile(r"%%|%\(([^()%]+)\)s"), "$": re.compile(r"\$\$|\$\{([^{}$]+)\}")}
"""What values refer to, by the mark; empty for a mark that stands for itself."""
LENGTH_LIMIT = 4 << 20
"""Characters of all values of a job."""
_ANY_REFERENCE = re.compile(r"%\(([^()]+)\)|\$\{([^{}]+)\}")


class SyntaxFault(Exception):
    """The text is no ini file; the message names the line."""


@dataclass
class Entry:
    """The value of one key and the line that it starts on, counted from 1."""

    line: int
    value: str


@dataclass
class IniFile:
    """The sections of a file, in order, values not yet interpolated.

    Attributes:
        sections: entries by key, by header.
        warnings: what is read differently from how it is written, by header.
        faults: lines that mean nothing.
    """

    sections: dict[str, dict[str, Entry]] = field(default_factory=dict)
    warnings: dict[str, list[str]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def headers(self) -> list[str]:
        """Names of the sections, without the defaults."""
        return [name for name in self.sections if name != DEFAULTS]

    def alone(self, section: str, *others: str) -> IniFile:
        """A copy with these sections only; it can be changed without changing this one."""
        names = [name for name in (DEFAULTS, section, *others) if name in self.sections]
        return IniFile(
            {name: dict(self.sections[name]) for name in names},
            {name: list(self.warnings.get(name, ())) for name in names},
        )

    def warn(self, section: str, warning: str) -> None:
        """Keep a warning about a section."""
        self.warnings.setdefault(section, []).append(warning)

    def referenced(self) -> set[str]:
        """Keys that some value refers to."""
        text = "\n".join(entry.value for keys in self.sections.values() for entry in keys.values())
        return {
            (percent or dollar).rpartition(":")[2].lower() for percent, dollar in _ANY_REFERENCE.findall(text)
        }

    def is_extended(self, section: str) -> bool:
        """Whether references in a section are written ``${name}``, as it or the defaults say."""
        own, defaults = self.sections[section], self.sections.get(DEFAULTS, {})
        return (own.get("config_format") or defaults.get("config_format") or Entry(0, "")).value == "2"

    def interpolate(self, section: str, given: Mapping[str, str], extended: bool) -> dict[str, str]:
        """Values of a section with its defaults, references replaced.

        Args:
            section: name of the section.
            given: more names that values may refer to; keys of the file win.
            extended: references are written ``${name}``, not ``%(name)s``.

        Raises:
            SyntaxFault: one line for each value with a bad reference.
        """
        kind = configparser.ExtendedInterpolation if extended else configparser.BasicInterpolation
        parser = configparser.ConfigParser(interpolation=kind())
        mark = "$" if extended else "%"
        parser.add_section(section)
        faults = []
        doubled = {name: Entry(0, value.replace(mark, mark * 2)) for name, value in given.items()}
        of_file = self.sections.get(DEFAULTS, {})
        for name, keys in ((DEFAULTS, doubled), (DEFAULTS, of_file), (section, self.sections[section])):
            for key, entry in keys.items():
                # configparser checks this too, but scans from each mark to the end of the value.
                if mark not in _WELL_MARKED[mark].sub("", entry.value):
                    parser.set(name, key, entry.value)
                else:
                    faults.append(f"line {entry.line}: [{name}] {key}: {_LONE_MARK}")
        if not faults and (total := _expanded(parser, section, mark)) > LENGTH_LIMIT:
            raise SyntaxFault(
                f"[{section}] its references would make {total} characters, and {LENGTH_LIMIT} are the most"
            )
        values = {}
        for key in parser.options(section):
            try:
                values[key] = parser.get(section, key)
            except configparser.InterpolationError as error:
                faults.append(f"[{section}] {key}: {_explain(error)}")
        if faults:
            raise SyntaxFault("\n".join(faults))
        return values


def _expanded(parser: configparser.ConfigParser, section: str, mark: str) -> int:
    """Characters of all values of a section with their references replaced, which are not replaced here.

    A value that refers to another one ten times, and that to a third one ten times, soon fills the memory.
    """
    lengths: dict[str, int] = {}

    def length(key: str, depth: int) -> int:
        name = key.rpartition(":")[2].lower()
        if depth > configparser.MAX_INTERPOLATION_DEPTH or not parser.has_option(section, name):
            return 0
        if name not in lengths:
            # One that refers to itself is a fault that is told later.
            lengths[name] = 0
            text = parser.get(section, name, raw=True)
            found = _REFERRED[mark].findall(text)
            lengths[name] = len(text) + sum(length(each, depth + 1) for each in found)
        return lengths[name]

    return sum(length(key, 0) for key in parser.options(section))


def _explain(error: configparser.InterpolationError) -> str:
    """What is wrong with a reference, in one line."""
    if isinstance(error, configparser.InterpolationMissingOptionError):
        return f"refers to {error.reference}, which is not set; write a % (or $) of the text twice"
    if isinstance(error, configparser.InterpolationDepthError):
        return "refers to itself"
    return _LONE_MARK


def parse(text: str, headless: str) -> IniFile:
    """Split the text of an ini file into sections and keys.

    Args:
        text: the file.
        headless: section for a file whose first key comes before any header.

    Returns:
        All that could be read; the lines that could not are its ``faults``.
    """
    ini = IniFile()
    current: dict[str, Entry] | None = None
    section, entry = "", None
    for number, line in enumerate(text.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}").splitlines(), 1):
        stripped = line.strip()
        # In Python 2 a comment starts in the first column; 3 allows an indented #, which no SQL starts with.
        if not stripped or line[0] in "#;" or stripped[0] == "#":
            continue
        if line[0].isspace() and entry is not None:
            entry.value += "\n" + stripped
            continue
        header, pair = _HEADER.match(stripped), _KEY.fullmatch(stripped)
        if header:
            section, entry = header["name"], None
            if section in ini.sections and section != DEFAULTS:
                ini.warn(section, f"line {number}: a second [{section}] {_NO_SECOND_JOB}")
            current = ini.sections.setdefault(section, {})
        elif pair:
            if current is None:
                section, current = headless, ini.sections.setdefault(headless, {})
                ini.warn(
                    section, f"line {number}: no section header before the first key; read as [{headless}]"
                )
            entry = _add(ini, section, pair["key"].rstrip().lower(), _strip_comment(pair["value"]), number)
        else:
            entry = None
            ini.faults.append(f"line {number}: neither a section header nor key = value")
    _mend_references(ini)
    return ini


def _add(ini: IniFile, section: str, key: str, value: str, number: int) -> Entry:
    """Add a key; of two with one name the last wins."""
    keys = ini.sections[section]
    if key in keys:
        ini.warn(
            section,
            f"line {number}: [{section}] {key}: given twice; this one wins over line {keys[key].line}",
        )
    keys[key] = Entry(number, value)
    return keys[key]


def _strip_comment(value: str) -> str:
    """Drop a trailing ``; comment`` as Python 2 did: at the first semicolon, if white space precedes it."""
    position = value.find(";")
    if position == 0 or (position > 0 and value[position - 1].isspace()):
        value = value[:position]
    value = value.strip()
    return "" if value == '""' else value


def _mend_references(ini: IniFile) -> None:
    """Read ``%(name)`` as ``%(name)s``: the example of the old manual page writes it so."""
    for section, keys in ini.sections.items():
        if ini.is_extended(section):
            continue
        for key, entry in keys.items():
            mended = _REFERENCE.sub(
                lambda match: match[0] if match[0] == "%%" else f"%({match['name']})s", entry.value
            )
            if mended != entry.value:
                entry.value = mended
                ini.warn(
                    section, f"line {entry.line}: [{section}] {key}: %(name) without s is read as %(name)s"
                )
