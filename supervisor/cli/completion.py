"""Completion of commands, files and job names by a shell."""

from __future__ import annotations

import argparse
from typing import Any

import shtab

SHELLS = ("bash", "zsh")

FILES = shtab.FILE
DIRECTORIES = shtab.DIRECTORY

JOBS = {"bash": "_tdsup_jobs", "zsh": "_tdsup_jobs"}
"""Names of jobs, as the fleet of the current directory tells them."""

# A name is matched and printed, never expanded: the shell would run what it finds in it.
_NAMES = r"""tdsup status 2>/dev/null |
        awk 'NR > 1 && $1 ~ /^[A-Za-z0-9_~@:+=,][A-Za-z0-9_~.@:+=,-]*$/ &&
            !/^(web|watcher|left):/ && !/^[0-9]+ jobs?: / { print $1 }'"""

_PREAMBLE = {
    "bash": f"""
_tdsup_jobs() {{
    local name
    {_NAMES} | while IFS= read -r name; do
        case $name in "$1"*) printf '%s\\n' "$name" ;; esac
    done
}}
""",
    "zsh": f"""
_tdsup_jobs() {{
    local -a jobs
    jobs=("${{(@f)$({_NAMES})}}")
    compadd -a jobs
}}
""",
}


def offer(argument: argparse.Action, what: Any) -> None:
    """Let an argument be completed by `FILES`, `DIRECTORIES` or `JOBS`."""
    argument.complete = what  # type: ignore[attr-defined]  # what shtab looks for


def script(parser: argparse.ArgumentParser, shell: str) -> str:
    """The script for a shell to source."""
    return shtab.complete(parser, shell=shell, preamble=_PREAMBLE[shell]).rstrip("\n")
