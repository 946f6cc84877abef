"""Write the man pages into a folder, from the tables that the programs themselves use."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from pydantic import AliasChoices, BaseModel
from tdsup.dispatcher.settings import Settings
from tdsup.dispatcher.ticking.tickersettings import TickerSettings
from tdsup.jobtype import is_filled_in, no_effect_reason
from tdsup.supervisor.cli import table_dispatcher, tdsup
from tdsup.supervisor.config.fleetsettings import FleetSettings
from tdsup.supervisor.config.jobsettings import JobSettings
from tdsup.supervisor.config.options import shown_default
from tdsup.supervisor.exits import MEANINGS, Exit
from tdsup.supervisor.protocol.version import VERSION

SIGNALS = {
    "SIGINT, SIGTERM": "every job ends its batch, then the fleet ends",
    "SIGHUP": "reload",
    "SIGUSR1": "begin new log files",
}

FILES = {
    "tdsup.yaml": "settings of the fleet, see tdsup.yaml(5); it may be absent",
    "conf.d/*.ini": "jobs, a section each, see table_dispatcher(1)",
    "/etc/tdsup": "directory of the fleet that the Debian package's tdsup.service runs",
    "/etc/tdsup/NAME": "directory of the fleet that tdsup@NAME.service runs",
}


def escape(text: str) -> str:
    """Text that roff shows as it is."""
    text = text.replace("\\", r"\e").replace("-", r"\-")
    return re.sub(r"(?m)^([.'])", r"\\&\1", text)


def bold(text: str) -> str:
    """Text that stands out."""
    return rf"\fB{escape(text)}\fR"


def head(name: str, section: int, purpose: str, *synopsis: str) -> Iterator[str]:
    """How every page begins."""
    yield f'.TH {escape(name.upper())} {section} "" "tdsup {VERSION}" ""'
    yield f".SH NAME\n{escape(name)} \\- {escape(purpose)}"
    yield ".SH SYNOPSIS"
    for line in synopsis:
        program, _, rest = line.partition(" ")
        yield f".PP\n{bold(program)} {escape(rest)}"


def chapter(title: str, *paragraphs: str) -> Iterator[str]:
    """A chapter of running text."""
    yield f".SH {escape(title.upper())}"
    for text in paragraphs:
        yield f".PP\n{escape(text)}"


def listed(items: dict[str, str]) -> Iterator[str]:
    """A list of terms with what they mean."""
    for term, meaning in items.items():
        yield f".TP\n{bold(term)}\n{escape(meaning)}"


def options(parser: argparse.ArgumentParser) -> dict[str, str]:
    """Switches and arguments of a parser, with their help."""
    found = {}
    for action in parser._actions:  # noqa: SLF001 (argparse offers no other list)
        if action.help in (argparse.SUPPRESS, None) or isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            continue
        value = "" if action.nargs == 0 else f" {action.metavar or action.dest.upper()}"
        names = ", ".join(action.option_strings) + value if action.option_strings else str(action.metavar)
        found[names.strip()] = str(action.help % {"default": action.default, "prog": parser.prog})
    return found


def commands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """The commands of a parser."""
    (chosen,) = (each for each in parser._actions if isinstance(each, argparse._SubParsersAction))  # noqa: SLF001
    return dict(chosen.choices)


def keys(model: type[BaseModel], without: frozenset[str] = frozenset()) -> dict[str, str]:
    """The keys of settings, with what they mean."""
    found = {}
    for name, field in model.model_fields.items():
        if name in without or is_filled_in(field):
            continue
        alias = field.validation_alias
        names = [str(key) for key in alias.choices] if isinstance(alias, AliasChoices) else [name]
        reason = no_effect_reason(field)
        default = "" if field.is_required() else shown_default(field)
        meaning = f"Accepted, without effect: {reason}." if reason else str(field.description)
        kind = "Required. " if field.is_required() else ""
        found[", ".join(names)] = kind + meaning + (f" Default: {default}" if default else "")
    return found


def tdsup_1() -> Iterator[str]:
    """The command line of a fleet."""
    parser = tdsup.make_parser()
    yield from head("tdsup", 1, "run a fleet of PgQ dispatchers", "tdsup [-C DIR] COMMAND [ARGUMENT...]")
    yield from chapter(
        "description",
        "A fleet is a directory: conf.d/*.ini hold its jobs, tdsup.yaml its settings. tdsup start runs a "
        "master, which runs one process for each job, restarts what crashes, and answers the other commands.",
    )
    yield ".SH OPTIONS"
    yield from listed(options(parser))
    yield ".SH COMMANDS"
    for name, command in commands(parser).items():
        yield f".SS {bold(name)}"
        usage = " ".join(command.format_usage().removeprefix("usage: ").split())
        yield f"{escape(usage)}\n.PP\n{escape(str(command.description))}"
        yield from listed({term: text for term, text in options(command).items() if term != "-h, --help"})
    yield ".SH FILES"
    yield from listed(FILES)
    yield ".SH SIGNALS"
    yield from listed(SIGNALS)
    yield ".SH EXIT STATUS"
    yield from listed({str(int(code)): meaning for code, meaning in MEANINGS.items()})
    yield from chapter("see also", "table_dispatcher(1), tdsup.yaml(5), pgqd(1)")


def tdsup_yaml_5() -> Iterator[str]:
    """The settings of a fleet."""
    yield from head("tdsup.yaml", 5, "settings of a fleet of PgQ dispatchers", "tdsup.yaml")
    yield from chapter(
        "description",
        "A YAML file of keys with values in the fleet's directory. Relative paths are relative to that "
        "directory. The file may be absent: every key has a default.",
    )
    yield ".SH KEYS"
    yield from listed(keys(FleetSettings))
    yield from chapter(
        "tickers",
        "Each entry of tickers is a job of that name. Besides the keys of a job's process, see "
        "table_dispatcher(1), it has:",
    )
    yield from listed(keys(TickerSettings, frozenset({"job_name"})))
    yield from chapter("see also", "tdsup(1), table_dispatcher(1)")


def table_dispatcher_1() -> Iterator[str]:
    """A job without a fleet, and the keys of its file."""
    parser = table_dispatcher.make_parser()
    usage = " ".join(parser.format_usage().removeprefix("usage: ").split())
    yield from head("table_dispatcher", 1, "load the events of a PgQ queue into partitioned tables", usage)
    yield from chapter("description", str(parser.description))
    yield ".SH OPTIONS"
    yield from listed(options(parser))
    yield from chapter("file", "A section [table_dispatcher] with keys and values.", "Keys of the job:")
    yield from listed(keys(Settings, frozenset(JobSettings.model_fields)))
    yield ".PP\nKeys of its process:"
    yield from listed(keys(JobSettings))
    yield ".SH EXIT STATUS"
    yield from listed({str(int(code)): MEANINGS[code] for code in (Exit.OK, Exit.FAILED, Exit.USAGE)})
    yield from chapter("see also", "tdsup(1), pgqd(1)")


PAGES: dict[str, Callable[[], Iterator[str]]] = {
    "tdsup.1": tdsup_1,
    "tdsup.yaml.5": tdsup_yaml_5,
    "table_dispatcher.1": table_dispatcher_1,
}


def main() -> int:
    """Write all pages."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="where to; it is made if needed")
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    for name, page in PAGES.items():
        (folder / name).write_text("\n".join(page()) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
