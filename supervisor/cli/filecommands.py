"""The command line of what needs no master: the start, and looks at files."""

from __future__ import annotations

from typing import Any

from . import completion
from .parsers import add_command, add_names, at_least, later

HEADLESS = "table_dispatcher"
"""The job type of which a sample is printed."""


def add_start(commands: Any) -> None:
    """Add the command that runs the fleet."""
    text = "Run the fleet in the foreground until Ctrl-C."
    start = add_command(commands, "start", text, "tdsup start -d", later(".start", "start"))
    start.add_argument(
        "-d", dest="detach", action="store_true", help="in the background; return once it answers"
    )


def add_file_commands(commands: Any) -> None:
    """Add the commands that look at files, whether the fleet runs or not."""
    text = "Show the end of a job's log, or of the master's."
    tail = add_command(commands, "logs", text, "tdsup logs -f orders", later(".files.printing", "show_log"))
    job = tail.add_argument("job", metavar="JOB", nargs="?", help="name of the job (default: the master)")
    completion.offer(job, completion.JOBS)
    tail.add_argument("-f", dest="follow", action="store_true", help="show what is added too, until Ctrl-C")
    tail.add_argument(
        "-n", dest="lines", metavar="N", type=at_least(0), default=10, help="how many lines (10)"
    )
    _add_job(commands)
    run = later(".files.printing", "print_sample")
    text = "Print a job's file with every key."
    shown = add_command(commands, "sample", text, "tdsup sample > conf.d/orders.ini", run)
    shown.add_argument(
        "type", metavar="TYPE", nargs="?", default=HEADLESS, help=f"job type (default: {HEADLESS})"
    )
    run = later(".files.printing", "print_import")
    text = "Write a tdsup.yaml for the jobs of a scriptmgr.ini."
    taken = add_command(commands, "import", text, "tdsup import /etc/skytools/scriptmgr.ini", run)
    file = taken.add_argument("file", metavar="FILE", help="the scriptmgr.ini")
    completion.offer(file, completion.FILES)
    _add_check(commands)


def _add_job(commands: Any) -> None:
    """Add what tells all about one job."""
    module = ".acting.showjob"
    text = "Show all about a job: state, settings and where they come from, positions, owner, what it did."
    shown = add_command(commands, "show", text, "tdsup show orders", later(module, "show"))
    add_names(shown, None, "name of the job, or its file, which needs no fleet")
    text = "Show what a job has done, over restarts of the fleet."
    told = add_command(commands, "history", text, "tdsup history orders", later(module, "history"))
    add_names(told, None, "name of the job")
    told.add_argument(
        "-n", dest="lines", metavar="N", type=at_least(0), default=50, help="how many changes of state (50)"
    )


def _add_check(commands: Any) -> None:
    check = add_command(
        commands,
        "check",
        "Check job files (default: those of the fleet) and tell all their faults; the fleet need not run.",
        "tdsup check --connect conf.d/orders.ini",
        later(".files.checking", "check"),
    )
    files = check.add_argument("files", metavar="FILE", nargs="*", help="the files")
    completion.offer(files, completion.FILES)
    check.add_argument(
        "--connect", action="store_true", help="look at the databases too, without changing anything"
    )
