"""Broken job files, picked up by a running fleet."""

from __future__ import annotations

import random
from pathlib import Path

from harness.measure import timed_master
from harness.measure.vitals import vitals
from harness.programs.fleet import Fleet, fleet

JOBS = ("a", "b", "c")

FILES = 6
"""Broken files that exist at a time; their names sort after those of the sound ones."""

GROWTH = 4096
"""KiB that the master may grow after the first tenth of the files."""

PIECES = [
    *"[sleeper] [table_dispatcher] [DEFAULT] [] [sleeper job_name behave log_size log_count disabled".split(),
    *"logfmt_file config_format use_skylog queue line = : %(job_name)s %(job_name) %(a)s ${a} %% % $".split(),
    *"0 1 2 -1 1e9 work crash nan ~nobody/x \ufeff \x00 \x85 \u2028 é 日本 ; # \" '".split(" "),
    "\n", "\n", "\n", "\r\n", "\n ", "\t", " ", " = ", "[sleeper]\n", "x" * 5000, " " * 5000, "%(" * 1000,
]  # fmt: skip
"""What broken files are made of."""

SOUND = "[sleeper]\nbehave = work\nline = %(job_name)s\n  more\nlog_size = 1000\n"


def run(directory: Path, times: int, within: float = 0.05) -> str:
    """Broken files are loaded or refused; sound jobs go on, and no reload occupies the master for long.

    `within` is the limit: seconds of processor time for one callback of its loop, a reload of all files.
    """
    chance = random.Random(1)  # noqa: S311 (repeatable files)
    outcomes: dict[str, int] = {}
    with fleet(directory) as a_fleet:
        timed_master.use(a_fleet)
        for name in JOBS:
            a_fleet.write_job(name)
        # The first file of a job type makes the master import its modules, which takes longer than any file.
        a_fleet.write_text("other", "[table_dispatcher]\n")
        a_fleet.start()
        for name in JOBS:
            a_fleet.wait_for(name, state="running")
        pids = _pids(a_fleet)
        master, early = a_fleet.pid, 0
        for number in range(times):
            if number == times // 10:
                early = vitals(master).resident
            path = a_fleet.directory / "conf.d" / f"spoilt{number % FILES}.ini"
            path.write_bytes(_spoilt(chance))
            reply = a_fleet.ask("reload")
            assert reply["ok"], (path.read_bytes(), reply)
            for outcome, names in reply["data"].items():
                outcomes[outcome] = outcomes.get(outcome, 0) + len(names)
        late = vitals(master).resident
        assert late - early <= GROWTH, f"{early} KiB after {times // 10} files, {late} KiB at the end"
        assert _pids(a_fleet) == pids
        assert "a defect of tdsup" not in a_fleet.log()
        a_fleet.stop()
        longest = timed_master.read(a_fleet)
    assert longest.seconds < within, f"{longest} is over the limit of {within} s"
    told = ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items()))
    return (
        f"{times} files ({told}), longest callback {1000 * longest.seconds:.1f} ms of CPU ({longest.what}); "
        f"memory {early} KiB after a tenth, {late} KiB at the end"
    )


def _spoilt(chance: random.Random) -> bytes:
    """A file made of pieces, or a sound one with bytes changed or cut off."""
    if chance.random() < 0.5:
        text = "".join(chance.choice(PIECES) for _ in range(chance.randrange(60)))
        return ("[sleeper]\n" * chance.randrange(2) + text).encode("utf-8", "surrogatepass")
    content = bytearray(SOUND.encode())
    for _ in range(chance.randrange(4)):
        content[chance.randrange(len(content))] = chance.randrange(256)
    return bytes(content[: chance.randrange(len(content) + 1)])


def _pids(a_fleet: Fleet) -> dict[str, int]:
    jobs = {job["name"]: job for job in a_fleet.status()["jobs"]}
    return {name: jobs[name]["pid"] for name in JOBS}
