"""Documentation that is made from code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_the_page_of_keys_is_up_to_date() -> None:
    """docs/jobs.md says what the settings models say."""
    done = subprocess.run([sys.executable, ROOT / "script" / "docs.py", "--check"], check=False)
    assert done.returncode == 0


def test_links_of_the_readme_lead_somewhere() -> None:
    """Every file that README.md links to exists."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    links = [part.partition(")")[0] for part in text.split("](")[1:]]
    assert links
    assert not [link for link in links if not link.startswith("http") and not (ROOT / link).exists()]
