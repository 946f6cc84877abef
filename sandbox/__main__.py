"""``python -m tdsup.sandbox``: a sandbox to play in until Ctrl-C."""

from __future__ import annotations

import signal
import sys

from . import Sandbox, SandboxError

DATABASES = ("shop", "archive")


def main() -> int:
    """Start, say how to connect, and wait."""
    ending = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
    signal.pthread_sigmask(signal.SIG_BLOCK, ending)
    try:
        with Sandbox() as box:
            box.source.create_database(DATABASES[0])
            box.target.create_database(DATABASES[1])
            print(f"source  psql '{box.source.dsn(DATABASES[0])}'")
            print(f"target  psql '{box.target.dsn(DATABASES[1])}'")
            print(
                "The source has PgQ, and pgqd ticks it. Ctrl-C ends both and removes every trace.", flush=True
            )
            signal.sigwait(ending)
    except SandboxError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
