"""The command line of what job types do for people, whether the fleet runs or not."""

from __future__ import annotations

import argparse
from typing import Any

from .parsers import add_command, add_names, at_least, later

MODULE = ".acting.jobactions"

LETTER_ACTIONS = ("list", "show", "replay", "purge")
"""What can be done with dead letters, by the names of job types' actions."""


def add_action_commands(commands: Any) -> None:
    """Add them to the parser."""
    _add_letters(commands)
    _add_repairs(commands)
    retire = _add(commands, "retire", "End jobs for good: stop them and unregister their consumers.")
    add_names(retire, "+", "names of jobs; remove their files then")
    text = "List the consumers of all queues at the fleet's sources, and who reads them."
    _add(commands, "consumers", text, example="")
    schema = _add(commands, "schema", "Show what targets keep for jobs, and in which version.")
    add_names(schema, "*", "names of jobs, or patterns in quotes (default: all)")
    text = "List the partitions that a job loads, and what becomes of them; the fleet need not run."
    listing = _add(commands, "partitions", text)
    add_names(listing, None, "name of the job, or its file, which needs no fleet")
    listing.add_argument("--json", action="store_true", help="an object a line, for programs")
    text = "print the SQL of the next maintenance instead"
    listing.add_argument("--dry-run", action="store_true", help=text)
    text = "Print the SQL of the least rights that a job needs in its databases; connects to neither."
    granting = _add(commands, "grants", text, example="conf.d/orders.ini")
    add_names(granting, None, "name of the job, or its file, which needs no fleet")
    schema.add_argument("--sql", action="store_true", help="print the statements that bring it up to date")


def _add(commands: Any, name: str, text: str, example: str = "orders") -> argparse.ArgumentParser:
    run = later(MODULE, name.replace("-", "_"))
    return add_command(commands, name, text, f"tdsup {name} {example}".rstrip(), run)


def _add_letters(commands: Any) -> None:
    text = "List, show, replay or purge events of a job that could not be loaded; the fleet need not run."
    letters = _add(commands, "dead-letters", text, example="orders replay 7")
    add_names(letters, None, "name of the job, or its file, which needs no fleet")
    letters.add_argument("action", choices=LETTER_ACTIONS, help="what to do with them")
    letters.add_argument(
        "ids", metavar="ID", nargs="*", help="which ones (default: all; show and purge need one)"
    )
    letters.add_argument("--all", action="store_true", help="with purge: all of them")
    letters.add_argument("--json", action="store_true", help="with list: an object a line, for programs")
    letters.add_argument(
        "--limit",
        metavar="N",
        type=at_least(1),
        help="with list: the first N, and no summary by reason",
    )


def _add_repairs(commands: Any) -> None:
    """Add what mends a job that is blocked, or that another host holds."""
    text = "Have sources send again what targets lack, for jobs with a lost position."
    rewind = _add(commands, "rewind", text)
    add_names(rewind, "+", "names of jobs, or patterns in quotes such as '*'")
    rewind.add_argument("--dry-run", action="store_true", help="only tell what would be sent again")
    text = "Pass over the batch that a job cannot load; its events are kept as dead letters."
    add_names(_add(commands, "skip", text), None, "name of the job")
    text = "Take a job over from a host whose process is frozen: end its sessions."
    add_names(_add(commands, "takeover", text), None, "name of the job")
