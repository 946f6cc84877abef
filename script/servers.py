"""Install servers of other versions for tests; the oldest and the newest, or all."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "tests"))

from harness.servers.versions import NEWEST, OLDEST, VERSIONS, install, is_installed


def main() -> int:
    """Install those that are missing; says which."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true", help="install all")
    for version in VERSIONS if parser.parse_args().all else (OLDEST, NEWEST):
        if not is_installed(version):
            print(f"servers: installing PostgreSQL {version}", flush=True)
            install(version)
    return 0


if __name__ == "__main__":
    sys.exit(main())
