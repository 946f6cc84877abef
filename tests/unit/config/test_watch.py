"""Files that change, and when they count as written."""

from __future__ import annotations

import os
from pathlib import Path

from tdsup.supervisor.config.watch import SETTLED, Signature, Watch, signature


def _seen(number: int) -> Signature:
    return frozenset({("a.ini", number, 1, 1)})


def test_a_change_counts_once_it_has_been_still() -> None:
    """Each further change starts the wait over; once the files are read, there is nothing more to do."""
    watch = Watch(0)
    watch.has_read(_seen(1))
    assert not watch.settled(_seen(1), 10)
    assert not watch.settled(_seen(2), 11)
    assert not watch.settled(_seen(3), 11 + SETTLED - 0.1)
    assert not watch.settled(_seen(3), 11 + SETTLED)
    assert watch.settled(_seen(3), 11 + 2 * SETTLED)
    watch.has_read(_seen(3))
    assert not watch.settled(_seen(3), 12 + 2 * SETTLED)


def test_a_change_that_is_taken_back_is_none() -> None:
    """What the files were when they were read is what counts."""
    watch = Watch(0)
    watch.has_read(_seen(1))
    watch.settled(_seen(2), 1)
    assert not watch.settled(_seen(1), 100)


def test_every_way_to_change_a_file_shows(tmp_path: Path) -> None:
    """New content of the same length, another file in its place, none at all; reading it does not."""
    path = tmp_path / "a.ini"
    found = set()
    for change in (
        lambda: path.write_text("a"),
        lambda: os.utime(path, ns=(1, 1)),
        lambda: path.write_text("bc"),
        lambda: (tmp_path / "new").rename(path) if (tmp_path / "new").write_text("bc") else None,
        lambda: path.unlink(),
    ):
        change()
        found.add(signature([str(path)]))
        found.add(signature([str(path)]))
    assert len(found) == 5
