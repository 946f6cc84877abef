"""``table_dispatcher INI``: one job as one process in the foreground, without a fleet."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from . import logs
from .channel import Sender
from .errors import ConfigError
from .jobfile import JobFile, load_job_file
from .worker import open_log, run_job


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one job; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="table_dispatcher",
        description="Run the job of one ini file until SIGINT (ends its batch) or SIGTERM (ends at once).",
        epilog="example: table_dispatcher conf.d/orders.ini",
    )
    parser.add_argument("ini", metavar="INI", help="the job's file")
    path: str = parser.parse_args(arguments).ini
    try:
        file = load_job_file(path)
        _log_to(file)
    except ConfigError as error:
        for line in error.lines:
            print(line, file=sys.stderr)  # noqa: T201 (a program speaks to its user)
        return error.exit_code
    return run_job(file, None, Sender(None))


def _log_to(file: JobFile) -> None:
    """Log to stderr and to the file's own log, if it names one; then tell the file's warnings."""
    host = file.host
    logs.add_stderr()
    if host.logfile:
        try:
            open_log(file, Path(host.logfile), redirect=False)
        except OSError as error:
            reason = f"[{file.section}] logfile: {error.strerror}: {host.logfile}"
            raise ConfigError(f"cannot load {file.path}: {reason}") from error
    logs.tell(file.name, file.warnings)


if __name__ == "__main__":
    sys.exit(main())
