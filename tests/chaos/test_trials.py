"""What a fleet withstands: a few times each; ``script/soak`` tries as often as docs/figures.md says."""

from __future__ import annotations

from pathlib import Path

from harness.trials import (
    crashes,
    crashpoints,
    deaths,
    files,
    noise,
    races,
    rotations,
    starts,
    storms,
    wakeups,
)


def test_simultaneous_starts_make_one_master(tmp_path: Path) -> None:
    """One of 20 starts, both in an empty directory and in one that a killed master left."""
    starts.run(tmp_path, 2)


def test_the_master_s_sudden_death_leaves_no_process(tmp_path: Path) -> None:
    """Whatever its jobs do, and also during its start; the limit is that of a slow machine."""
    deaths.run(tmp_path, 6, within=5)


def test_storms_of_signals_are_survived(tmp_path: Path) -> None:
    """The fleet is intact, or has stopped if that is what they ask for."""
    storms.run(tmp_path, 500)


def test_a_crash_loop_leaves_no_trace(tmp_path: Path) -> None:
    """Neither in the master nor in the other job."""
    crashes.run(tmp_path, 200)


def test_kills_at_crash_points_leave_clean_books(tmp_path: Path) -> None:
    """Of two processes of a consumer, at every point once, with own positions and with pgq_ext."""
    crashpoints.run(tmp_path, 150)


def test_rotations_lose_no_line(tmp_path: Path) -> None:
    """Whatever is done to the log behind its writer's back."""
    rotations.run(tmp_path, 60)


def test_noise_on_the_control_socket_does_no_harm(tmp_path: Path) -> None:
    """And none of it occupies the master for long, in processor time."""
    noise.run(tmp_path, 150, within=0.5)


def test_spoilt_files_stop_nobody(tmp_path: Path) -> None:
    """They are loaded or refused; jobs of sound files keep running."""
    files.run(tmp_path, 60, within=0.5)


def test_each_event_wakes_its_job(tmp_path: Path) -> None:
    """Asleep or not, whoever is killed meanwhile; the limit is that of a slow machine."""
    wakeups.run(tmp_path, 300, jobs=8, within=5)


def test_races_for_new_partitions_misplace_no_row(tmp_path: Path) -> None:
    """Of natively partitioned tables, with and without a default partition, and of inherited ones."""
    races.run(tmp_path, 8, jobs=3, timed=False)
