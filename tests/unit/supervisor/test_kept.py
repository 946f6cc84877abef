"""Pauses that outlast a restart."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tdsup.supervisor.errors import TdsupError
from tdsup.supervisor.kept import KeptPauses


def test_names_are_there_after_a_restart(tmp_path: Path) -> None:
    """Those that were added and not removed; nothing is made before there is a name."""
    folder = tmp_path / "state"
    kept = KeptPauses(folder)
    kept.remove(["orders"])
    assert not folder.exists()
    kept.add(["orders", "clicks"])
    kept.add(["payments"])
    kept.remove(["clicks", "nobody"])
    again = KeptPauses(folder)
    assert (list(again), again.fault) == (["orders", "payments"], "")
    assert "orders" in again
    assert "clicks" not in again
    assert [path.name for path in folder.iterdir()] == ["paused"]
    assert folder.stat().st_mode & 0o007 == 0
    assert (folder / "paused").stat().st_mode & 0o077 == 0


@given(content=st.binary(max_size=200))
def test_any_content_is_survived(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    """Names are read, or a fault is told; what is added then is there again."""
    folder = tmp_path_factory.mktemp("state")
    (folder / "paused").write_bytes(content)
    kept = KeptPauses(folder)
    try:
        names = set(filter(None, content.decode().split("\n")))
    except UnicodeDecodeError:
        names = set()
        assert kept.fault.startswith(f"cannot read {folder}/paused: it is not of UTF-8")
    assert set(kept) == names
    kept.add(["orders"])
    assert set(KeptPauses(folder)) == names | {"orders"}


def test_what_cannot_be_written_is_told_and_not_believed(tmp_path: Path) -> None:
    """The message names the file; memory and file agree."""
    folder = tmp_path / "state"
    folder.write_text("a file")
    kept = KeptPauses(folder)
    with pytest.raises(TdsupError, match=r"cannot write .*/state/paused: "):
        kept.add(["orders"])
    assert "orders" not in kept
