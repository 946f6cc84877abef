"""Documentation that is generated from code, and pages that name files."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def test_the_page_of_keys_is_up_to_date() -> None:
    """docs/jobs.md says what the settings models say."""
    done = subprocess.run([sys.executable, ROOT / "script" / "docs.py", "--check"], check=False)
    assert done.returncode == 0


def _named(page: str) -> list[str]:
    """Files and folders of the repository that a page names: its links, and paths in backquotes."""
    text = (ROOT / page).read_text(encoding="utf-8")
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)]+)\)", text) if "://" not in link]
    folder = (ROOT / page).parent
    found = [str((folder / link).resolve().relative_to(ROOT)) for link in links if link]
    words = [word for quoted in re.findall(r"`([^`\n]+)`", text) for word in quoted.split()]
    paths = [word for word in words if re.fullmatch(r"[\w.][\w./*-]*/[\w./*-]*", word)]
    # A word with a slash is meant as a path if it begins with a folder of ours.
    return found + [path for path in paths if (ROOT / path.partition("/")[0]).is_dir()]


PAGES = sorted(
    str(page.relative_to(ROOT))
    for folder in (ROOT, ROOT / "docs", ROOT / "docs" / "decisions", ROOT / "docs" / "running")
    for page in folder.glob("*.md")
)


def test_pages_are_found() -> None:
    """And name files."""
    assert {"README.md", "docs/design.md"} <= set(PAGES)
    assert _named("docs/design.md")


def test_every_handler_of_londiste_has_a_line() -> None:
    """docs/migrating.md says what stands for each of them here (londiste 3.12, its ``handlers``)."""
    others = "londiste nop applyfn bulk dispatch direct bulk_direct multimaster obfuscate qtable qsplitter"
    made = [
        f"{load}{period}_{mode}"
        for load in ("", "bulk_")
        for period in ("hourly", "daily", "monthly", "yearly")
        for mode in ("event", "batch", "field", "time")
    ]
    text = (ROOT / "docs/migrating.md").read_text(encoding="utf-8")
    firsts = {name for line in text.splitlines() for name in re.findall(r"`(\w+)`", line.split(" | ")[0])}
    assert firsts >= {*made, *others.split(), *"shard part vtable fake_local".split()}


def test_compatibility_is_tested() -> None:
    """Each line of a table in docs/compatibility.md names its tests, and they exist."""
    text = (ROOT / "docs/compatibility.md").read_text(encoding="utf-8")
    # The generated table comes from what the tests use.
    table = [line for line in text.partition("<!-- end -->")[2].splitlines() if line.startswith("| ")]
    lines = [line for line in table if not line.endswith("| test |")]
    assert len(lines) > 10
    assert not [line for line in lines if not re.search(r"\| `test_\w+`(, `test_\w+`)* \|$", line)]
    there = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert not set(re.findall(r"`(test_\w+)`", text)) - there


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_names_exists(page: str) -> None:
    """When a file moves, the pages that name it have to follow."""
    named = _named(page)
    assert not [path for path in named if not list(ROOT.glob(path.rstrip("/")))]
