"""Install servers of other versions for tests; without arguments the oldest and the newest."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "tests"))

from harness.servers.versions import NEWEST, OLDEST, VERSIONS, install, is_installed


def main() -> int:
    """Install those that are missing; says which."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("version", type=int, nargs="*", help=f"of {', '.join(map(str, VERSIONS))}")
    for version in parser.parse_args().version or (OLDEST, NEWEST):
        if version not in VERSIONS:
            parser.error(f"cannot install a server {version}: none is known")
        if not is_installed(version):
            print(f"servers: installing PostgreSQL {version}", flush=True)
            install(version)
    return 0


if __name__ == "__main__":
    sys.exit(main())
