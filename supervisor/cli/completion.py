"""Completion of commands, files and job names by a shell."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

SHELLS = ("bash", "zsh")

FILES = "FILE"
DIRECTORIES = "DIRECTORY"

JOBS = "JOBS"
"""Names of jobs, as the fleet tells them: the one of -C, if that is on the line."""

_JOBS = {"bash": "_tdsup_jobs", "zsh": "_tdsup_jobs"}

# A name is matched and printed, never expanded: the shell would run what it finds in it. So is a directory.
_NAMES = r"""tdsup ${where:+-C "$where"} status 2>/dev/null |
        awk 'NR > 1 && $1 ~ /^[A-Za-z0-9_~@:+=,][A-Za-z0-9_~.@:+=,-]*$/ &&
            !/^(web|watcher|left):/ && !/^[0-9]+ jobs?: / { print $1 }'"""

_PREAMBLE = {
    "bash": rf"""
_tdsup_jobs() {{
    local name where= i
    for ((i = 1; i < COMP_CWORD; i++)); do
        [ "${{COMP_WORDS[i]}}" = -C ] && where=${{COMP_WORDS[i + 1]//[\\\"\']/}}
    done
    where=${{where/#\~/$HOME}}
    {_NAMES} | while IFS= read -r name; do
        case $name in "$1"*) printf '%s\n' "$name" ;; esac
    done
}}
""",
    "zsh": rf"""
_tdsup_jobs() {{
    local -a jobs
    local where= i
    for ((i = 2; i < CURRENT; i++)); do
        [[ $words[i] == -C ]] && where=${{(Q)words[i + 1]}}
    done
    where=${{where/#\~/$HOME}}
    jobs=("${{(@f)$({_NAMES})}}")
    compadd -a jobs
}}
""",
}


def offer(argument: argparse.Action, what: str) -> None:
    """Let an argument be completed by `FILES`, `DIRECTORIES` or `JOBS`."""
    argument.complete = what  # type: ignore[attr-defined]  # what shtab looks for


def script(parser: argparse.ArgumentParser, shell: str) -> str:
    """The script for a shell to source."""
    # Only this command needs it.
    import shtab

    completes: dict[str, Any] = {FILES: shtab.FILE, DIRECTORIES: shtab.DIRECTORY, JOBS: _JOBS}
    for argument in _arguments(parser):
        if (what := getattr(argument, "complete", None)) is not None:
            argument.complete = completes[what]  # type: ignore[attr-defined]  # the same
    return shtab.complete(parser, shell=shell, preamble=_PREAMBLE[shell]).rstrip("\n")


def _arguments(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """The arguments of all commands."""
    for argument in parser._actions:  # noqa: SLF001 (argparse has no other list of them)
        yield argument
        if isinstance(argument.choices, dict):
            for command in argument.choices.values():
                yield from _arguments(command)
