"""Which jobs rely on which watcher, while watchers come and go."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from tdsup.supervisor.jobs import State
from tdsup.supervisor.jobs.tally import Tally
from tdsup.supervisor.master import watchers
from tdsup.supervisor.master.watchers import Watchers


class Stub:
    """A runner of a job or of a watcher, as far as `Watchers` sees it."""

    def __init__(self, name: str) -> None:
        self.job = SimpleNamespace(
            name=name, pid=1, state=State.STARTING, stop=lambda _now: None, tally=Tally()
        )
        self.told: list[int | None] = []

    def start(self) -> None:
        """Begin."""

    def step(self) -> None:
        """Do what is due: it was asked to stop."""
        self.job.state = State.STOPPING

    def tell(self, _what: str, news: int | None) -> None:
        """Remember what was told."""
        self.told.append(news)


class Fleet:
    """Jobs, each with a source, and their watchers in the order in which they were made."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(watchers, "JobConfig", SimpleNamespace)
        monkeypatch.setattr(watchers, "_watched", lambda file: [("t", "source", file.source)])
        self.jobs: dict[str, Stub] = {}
        self.made: list[Stub] = []
        roster = SimpleNamespace(jobs=lambda: [each.job for each in self.jobs.values()], find=self.jobs.get)
        loop = SimpleNamespace(now=lambda: 0.0)
        self.watchers = Watchers(cast("Any", roster), cast("Any", loop), cast("Any", self._make))

    def load(self, digest: str = "", **sources: str) -> None:
        """Load files of these jobs."""
        for name, source in sources.items():
            job = self.jobs.setdefault(name, Stub(name))
            job.job.wanted_file = SimpleNamespace(source=source, digest=digest)
        self.watchers.fit()

    def become(self, watcher: Stub, state: State) -> None:
        """Let a watcher be in that state."""
        watcher.job.state = state
        self.watchers.changed(cast("Any", watcher))

    def tell(self, watcher: Stub, **news: int) -> None:
        """Let a watcher tell news."""
        self.watchers.news(cast("Any", watcher), news)

    def _make(self, watch: Any) -> Stub:
        self.made.append(Stub(watch.name))
        return self.made[-1]


@pytest.fixture
def fleet(monkeypatch: pytest.MonkeyPatch) -> Fleet:
    """No job yet."""
    return Fleet(monkeypatch)


def test_nobody_is_relied_on_while_none_of_two_watchers_looks(fleet: Fleet) -> None:
    """The former one counts until the new one looks, and no longer than it looks itself."""
    fleet.load(a="X")
    (former,) = fleet.made
    fleet.become(former, State.RUNNING)
    fleet.load(b="X")
    _, new = fleet.made
    fleet.become(new, State.BACKOFF)
    assert fleet.jobs["a"].told == [0]
    fleet.become(former, State.BACKOFF)
    assert fleet.jobs["a"].told == [0, None]
    fleet.become(new, State.RUNNING)
    assert fleet.jobs["a"].told == [0, None, 0]


def test_a_former_watcher_knows_nothing_of_jobs_that_have_left(fleet: Fleet) -> None:
    """A job that reads another source by now would take it for its own watcher."""
    fleet.load(a="X", b="X")
    (former,) = fleet.made
    fleet.become(former, State.RUNNING)
    fleet.load(a="Y")
    fleet.tell(former, a=101, b=101)
    assert (fleet.jobs["a"].told, fleet.jobs["b"].told) == ([0, None], [0, 101])


def test_a_job_with_another_file_waits_for_the_new_watcher(fleet: Fleet) -> None:
    """It may read another queue of the same source: the former watcher knows nothing of that."""
    fleet.load(a="X", b="X")
    (former,) = fleet.made
    fleet.become(former, State.RUNNING)
    fleet.load(digest="other", a="X")
    fleet.tell(former, a=101, b=101)
    assert (fleet.jobs["a"].told, fleet.jobs["b"].told) == ([0, None], [0, 101])
    fleet.become(fleet.made[1], State.RUNNING)
    assert fleet.jobs["a"].told == [0, None, 0]
