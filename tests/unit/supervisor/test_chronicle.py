"""What jobs have done stays over restarts, and does not grow for ever."""

from __future__ import annotations

from pathlib import Path

import pytest
from tdsup.supervisor.chronicle import FOLDER, LIMIT, Chronicle, changes


def test_changes_are_kept_in_their_order(tmp_path: Path) -> None:
    """Of each job by itself; another master goes on with the same file."""
    Chronicle(tmp_path / "state").note("a", "running", "", 12)
    again = Chronicle(tmp_path / "state")
    again.note("a", "backoff", "killed\nby SIGKILL", None)
    again.note("b", "blocked", "", None)
    found = list(changes(tmp_path / "state", "a"))
    assert [(each.state, each.reason, each.pid) for each in found] == [
        ("running", "", 12),
        ("backoff", "killed\nby SIGKILL", None),
    ]
    assert found[0].at <= found[1].at
    again.forget("a")
    again.forget("never seen")
    with pytest.raises(FileNotFoundError):
        list(changes(tmp_path / "state", "a"))
    assert len(list(changes(tmp_path / "state", "b"))) == 1


def test_a_file_is_bounded(tmp_path: Path) -> None:
    """Its older half goes, at the end of a line; the newest change stays."""
    chronicle = Chronicle(tmp_path)
    for number in range(3000):
        chronicle.note("a", "backoff", f"number {number}", None)
        assert (tmp_path / FOLDER / "a").stat().st_size <= LIMIT
    found = [each.reason for each in changes(tmp_path, "a")]
    assert found == [f"number {number}" for number in range(3000 - len(found), 3000)]
    assert len(found) > 200


def test_a_line_that_was_cut_is_left_out(tmp_path: Path) -> None:
    """As by a crash of the machine, or by hand."""
    chronicle = Chronicle(tmp_path)
    chronicle.note("a", "running", "", 1)
    with (tmp_path / FOLDER / "a").open("ab") as file:
        file.write(b'{"at": 1, "sta\n[]\n{"other": 1}\n')
    chronicle.note("a", "stopped", "", None)
    assert [each.state for each in changes(tmp_path, "a")] == ["running", "stopped"]


def test_what_cannot_be_written_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """And stops nothing; a link is not followed."""
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "a").symlink_to(tmp_path / "elsewhere")
    chronicle = Chronicle(tmp_path)
    for _ in range(2):
        chronicle.note("a", "running", "", 1)
    (record,) = caplog.records
    assert record.message.startswith("cannot write the history of jobs: ")
    assert not (tmp_path / "elsewhere").exists()
