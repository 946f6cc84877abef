"""The rules on imports (docs/design.md): which package sees which, and which wing sees which."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

ORDER = {
    "jobtype": "printable duration metric action condition order context option jobtype".split(),
    "dispatcher": (
        "errors address postgres events sieve partitions settings write route ledger pgq load metrics "
        "maintenance rights check running watching actions job ticking"
    ).split(),
    "supervisor": (
        "exits redact errors flock protocol files loop kept chronicle manager lineformat journal "
        "logs config control jobs worker master web service cli"
    ).split(),
    "sandbox": "errors reaper account binaries cluster ticker box __main__".split(),
}
"""The rooms of each package, wings and files, from the bottom up: a room imports only rooms before it."""

CONTRACT = "tdsup.jobtype"
"""What a job and its host share; they import it as it is, and nothing below it."""

FORBIDDEN = {
    "jobtype": {"psycopg2"},
    # A job knows nothing of how it is run.
    "dispatcher": {"configparser", "signal", "multiprocessing", "subprocess"},
    # Job types are found by entry point; only the monotonic clock decides anything.
    "supervisor": {"psycopg2", "datetime"},
    "sandbox": {CONTRACT},
}
"""Modules that a package never imports."""

ONLY_IN = {
    # The master must stay small and have neither thread nor event loop; these run in children.
    "prometheus_client": ("supervisor/web/",),
    "uvicorn": ("supervisor/web/",),
    "asyncio": ("supervisor/web/",),
    "threading": tuple(f"supervisor/worker/{name}.py" for name in ("channel", "context", "lifeline")),
}
"""Modules that only these files and folders of the supervisor import."""

Doors = Mapping[str, frozenset[str]]
"""The names that each wing offers, by its path."""


@dataclass(frozen=True)
class Import:
    """What one statement imports: a module, absolute or relative, and names from it."""

    level: int
    module: str
    names: tuple[str, ...]


def imports(source: str) -> Iterator[Import]:
    """Every import anywhere in a module."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (Import(0, alias.name, ()) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield Import(node.level, node.module or "", tuple(alias.name for alias in node.names))


def faults(path: str, source: str, doors: Doors) -> list[str]:
    """What a module imports against the rules."""
    return [fault for found in imports(source) if (fault := _fault(path, found, doors))]


def _fault(path: str, found: Import, doors: Doors) -> str:
    package, *inside = path.removesuffix(".py").split("/")
    if not found.level:
        top = found.module.partition(".")[0]
        if found.module in FORBIDDEN[package] or top in FORBIDDEN[package]:
            return f"{found.module} is not for {package}"
        if top == "tdsup" and found.module != CONTRACT:
            return f"{found.module} is another package"
        if package == "supervisor" and top in ONLY_IN and not path.startswith(ONLY_IN[top]):
            return f"{top} is for {' '.join(ONLY_IN[top])} only"
        return ""
    if found.level > len(inside):
        return f"{'.' * found.level}{found.module} is outside of {package}"
    order = ORDER[package]
    for room, inner, name in _targets(inside, found):
        if room == inside[0] or (room not in order and inside == ["__main__"]):
            continue
        if room not in order or order.index(room) >= order.index(inside[0]):
            return f"{room} is not below {inside[0]}"
        door = doors.get(f"{package}/{room}")
        if door is not None and (inner or name not in door):
            return f"{name} is not at the door of {room}"
    return ""


def _targets(inside: Sequence[str], found: Import) -> Iterator[tuple[str, list[str], str]]:
    """For each name that a relative import brings: its room, the modules inside that room, the name."""
    base = [*inside[: len(inside) - found.level], *filter(None, found.module.split("."))]
    for name in found.names:
        room, *inner = [*base, name]
        yield room, inner[:-1], name


def _modules() -> dict[str, str]:
    """The source of every module of ours, by its path."""
    return {
        path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
        for package in ORDER
        for path in (ROOT / package).rglob("*.py")
        if path != ROOT / package / "__init__.py"
    }


def _doors(modules: Mapping[str, str]) -> Doors:
    doors = {}
    for path, source in modules.items():
        # Within a wing, folders have no doors.
        if path.endswith("/__init__.py") and path.count("/") == 2:
            offered: set[str] = set()
            for node in ast.parse(source).body:
                if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
                    offered = set(ast.literal_eval(node.value))
            doors[path.removesuffix("/__init__.py")] = frozenset(offered)
    return doors


MODULES = _modules()
DOORS = _doors(MODULES)


@pytest.mark.parametrize("package", ORDER)
def test_imports_keep_to_the_order(package: str) -> None:
    """No module imports what its package or its wing may not, or past a wing's door."""
    found = {
        path: wrong
        for path, source in MODULES.items()
        if path.startswith(f"{package}/") and (wrong := faults(path, source, DOORS))
    }
    assert not found


@pytest.mark.parametrize("package", ORDER)
def test_the_order_names_every_room(package: str) -> None:
    """And no other."""
    rooms = {path.split("/")[1].removesuffix(".py") for path in MODULES if path.startswith(f"{package}/")}
    assert sorted(rooms) == sorted(ORDER[package])


def test_no_name_of_a_file_means_two_things() -> None:
    """Dispatcher and supervisor share only the names of what each has in its own way: a job, its errors."""
    names = [
        {path.rpartition("/")[2] for path in MODULES if path.startswith(f"{package}/")}
        for package in ("dispatcher", "supervisor")
    ]
    assert set.intersection(*names) <= {"__init__.py", "errors.py", "job.py"}


@pytest.mark.parametrize("wing", DOORS)
def test_every_name_at_a_door_is_used(wing: str) -> None:
    """A door offers what other rooms import, and no more."""
    package, room = wing.split("/")
    used: set[str] = set()
    for path, source in MODULES.items():
        inside = path.removesuffix(".py").split("/")[1:]
        if path.startswith(f"{package}/") and inside[0] != room:
            targets = (
                target for found in imports(source) if found.level for target in _targets(inside, found)
            )
            used |= {name for other, _inner, name in targets if other == room}
    assert DOORS[wing] == used


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("dispatcher/job.py", "def f():\n    from tdsup.supervisor import job"),
        ("dispatcher/job.py", "import signal"),
        ("dispatcher/job.py", "from ..supervisor import job"),
        ("dispatcher/job.py", "from tdsup.jobtype.metric import Metric"),
        ("dispatcher/load/rows.py", "from ..check import check"),
        ("dispatcher/load/rows.py", "from ..events.change import read"),
        ("dispatcher/load/rows.py", "from ..events import urlencoded"),
        ("dispatcher/load/rows.py", "from .. import job"),
        ("supervisor/web/site.py", "from ...dispatcher import job"),
        ("supervisor/web/site.py", "from ..cli import status"),
        ("supervisor/errors.py", "import tdsup.dispatcher.job"),
        ("supervisor/master/master.py", "import threading"),
        ("sandbox/box.py", "from tdsup import dispatcher"),
        ("sandbox/box.py", "from tdsup.jobtype import Metric"),
        ("jobtype/metric.py", "from .context import Context"),
    ],
)
def test_a_planted_fault_is_found(path: str, source: str) -> None:
    """The rules notice every form of import."""
    assert faults(path, source, DOORS)


def test_the_master_loads_no_http_server() -> None:
    """What only the web child imports is imported after the fork: it costs no other process memory."""
    script = "import sys, tdsup.supervisor.service; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not {"uvicorn", "asyncio", "prometheus_client", "psycopg2"} & set(done.stdout.split())


def test_every_package_is_installed() -> None:
    """A wing that pyproject.toml does not name is missing from the wheel."""
    named = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"][
        "packages"
    ]
    there = {
        "tdsup." + ".".join(path.parent.relative_to(ROOT).parts)
        for package in ORDER
        for path in (ROOT / package).rglob("__init__.py")
    }
    assert set(named) == there
