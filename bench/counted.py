"""The work whose instructions bench/work.py counts: runs of a job or of a loop, each in its own fork.

They share one start, which takes longer under valgrind than the work itself. Arguments: the decoder
(``compiled`` or ``pure``) and the runs, each a job's file or the loop's number of turns. Each run prints a
line with its pid.
"""

from __future__ import annotations

import os
import sys


def loop(turns: int) -> int:
    """The loop that a worker is compared with: bytes, calls, a dict."""
    seen: dict[bytes, int] = {}
    for number in range(turns):
        first, second = (b"%d\tnote of order" % number).split(b"\t")
        seen[second] = seen.get(second, 0) + len(first)
    return 0


def main(decoder: str, runs: list[str]) -> int:
    """Run all, one after another; returns 1 if one fails."""
    if decoder == "pure":
        # As where the installation had no compiler.
        sys.modules["tdsup.dispatcher.events._fold"] = None  # type: ignore[assignment]
    from tdsup.dispatcher import job as _job_type  # noqa: F401 (the program would import it later)
    from tdsup.dispatcher.events import fold as chosen
    from tdsup.dispatcher.running import onlooker
    from tdsup.supervisor.cli.table_dispatcher import main as table_dispatcher

    # All work takes long under valgrind; looks at what it waits for are by the clock.
    vars(onlooker)["PATIENCE"] = 3600.0
    if chosen.IS_COMPILED is (decoder == "pure"):
        print(f"cannot count work of the {decoder} decoder: it is not installed", file=sys.stderr)
        return 1
    for run in runs:
        child = os.fork()
        if not child:
            return loop(int(run)) if run.isdigit() else table_dispatcher([run])
        print(child, run, flush=True)
        _, status = os.waitpid(child, 0)
        if status:
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
