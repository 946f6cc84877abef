"""Tells what pip-audit found, and whether it could ask at all."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any


def main(found: Path, said: Path) -> int:
    """Print the holes; returns the exit status.

    Args:
        found: the report of pip-audit, as JSON.
        said: what it wrote to stderr.
    """
    packages: list[dict[str, Any]] = json.loads(found.read_text())["dependencies"] if found.exists() else []
    holes = [
        f"{package['name']} {package['version']}: {hole['id']}, mended in {', '.join(hole['fix_versions'])}"
        for package in packages
        for hole in package.get("vulns", ())
    ]
    for hole in holes:
        print(hole)
    unasked = [package["name"] for package in packages if "skip_reason" in package]
    if not packages:
        last = said.read_text().strip().splitlines()[-1:] or ["it says nothing"]
        print(f"audit: cannot ask for known holes: {last[0]}", file=sys.stderr)
    elif unasked:
        names = f"{len(unasked)} of {len(packages)} packages, such as {unasked[0]}"
        print(
            f"audit: cannot ask for known holes of {names}: the database does not know them", file=sys.stderr
        )
    else:
        print(f"audit: {len(packages)} packages, {len(holes)} known holes", file=sys.stderr)
        return 1 if holes else os.EX_OK
    print("audit: run it where the database of advisories can be reached", file=sys.stderr)
    return 1 if holes else os.EX_UNAVAILABLE


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
