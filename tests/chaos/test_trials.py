"""What a fleet withstands: each trial a few times; ``script/soak`` tries as often as docs/figures.md says."""

from __future__ import annotations

from pathlib import Path

from harness.trials import crashes, deaths, files, noise, rotations, starts, storms


def test_simultaneous_starts_make_one_master(tmp_path: Path) -> None:
    """One of 20 starts, both in an empty directory and in one that a killed master left."""
    starts.run(tmp_path, 2)


def test_the_master_s_sudden_death_leaves_no_process(tmp_path: Path) -> None:
    """Whatever its jobs do, also amid its start; on a slow machine it may take longer than on an idle one."""
    deaths.run(tmp_path, 6, within=5)


def test_storms_of_signals_are_survived(tmp_path: Path) -> None:
    """The fleet is intact, or has stopped where they ask for it."""
    storms.run(tmp_path, 500)


def test_a_crash_loop_leaves_no_trace(tmp_path: Path) -> None:
    """Neither in the master nor in the other job."""
    crashes.run(tmp_path, 200)


def test_rotations_lose_no_line(tmp_path: Path) -> None:
    """Whatever is done to the log behind its writer's back."""
    rotations.run(tmp_path, 60)


def test_noise_on_the_control_socket_does_no_harm(tmp_path: Path) -> None:
    """Nor does it keep the master from others for long, in its own processor time."""
    noise.run(tmp_path, 150, within=0.5)


def test_spoilt_files_stop_nobody(tmp_path: Path) -> None:
    """They are taken in or refused; the sound ones beside them run on."""
    files.run(tmp_path, 60, within=0.5)
