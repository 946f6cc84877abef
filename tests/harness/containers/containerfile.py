"""What a Containerfile says."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.paths import ROOT

CONTAINERFILE = ROOT / "deploy" / "container" / "Containerfile"


@dataclass(frozen=True)
class Containerfile:
    """Its instructions.

    Attributes:
        stages: of each, in order, the instructions: a word in capitals and its arguments.
    """

    stages: tuple[tuple[tuple[str, str], ...], ...]

    @property
    def bases(self) -> list[str]:
        """What the stages begin with."""
        return [stage[0][1].split()[0] for stage in self.stages]

    def all(self, word: str) -> list[str]:
        """Arguments of the instructions of one kind in the last stage, which becomes the image."""
        return [arguments for each, arguments in self.stages[-1] if each == word]

    def last(self, word: str) -> str:
        """Arguments of the last one of a kind: the one that holds."""
        return self.all(word)[-1]

    @property
    def user(self) -> tuple[int, int]:
        """Uid and gid of all its processes."""
        uid, gid = self.last("USER").split(":")
        return int(uid), int(gid)

    @property
    def environment(self) -> dict[str, str]:
        """What `ENV` sets."""
        return dict(word.split("=", 1) for each in self.all("ENV") for word in shlex.split(each))

    @property
    def start(self) -> list[str]:
        """The words of the command that a container runs."""
        return [*json.loads(self.last("ENTRYPOINT")), *json.loads(self.last("CMD"))]

    @property
    def check(self) -> list[str]:
        """The words of the health check's command."""
        words: list[str] = json.loads(self.last("HEALTHCHECK").partition("CMD ")[2])
        return words


def containerfile() -> Containerfile:
    """Ours."""
    stages: list[list[tuple[str, str]]] = []
    for word, arguments in _instructions(CONTAINERFILE):
        if word == "FROM":
            stages.append([])
        stages[-1].append((word, arguments))
    return Containerfile(tuple(map(tuple, stages)))


def _instructions(path: Path) -> Iterator[tuple[str, str]]:
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not re.match(r"\s*#", line)]
    for line in re.sub(r"\\\n", "", "\n".join(lines)).splitlines():
        if line.strip():
            word, _, arguments = line.strip().partition(" ")
            yield word, " ".join(arguments.split())
