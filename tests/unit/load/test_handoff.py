"""The handoff between two threads: bounded, in order, and nobody waits for ever."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tdsup.dispatcher.load.handoff import LARGEST_COPY, WORTH_A_COPY, Handoff

SECONDS = 20
"""Most seconds that a thread may take; longer means a deadlock."""

LIMIT = 4 * WORTH_A_COPY

TEXTS = st.lists(st.tuples(st.integers(0, 5), st.integers(1, 2 * LIMIT)), max_size=12)
"""Groups and sizes."""


class Thread:
    """Something that another thread does meanwhile."""

    def __init__(self, act: Callable[[], object]) -> None:
        # A thread that never ends fails its own test, not the ones after it.
        self._thread = threading.Thread(target=act, daemon=True)
        self._thread.start()

    @property
    def waits(self) -> bool:
        """Whether it has not ended within a while."""
        self._thread.join(0.05)
        return self._thread.is_alive()

    def end(self) -> None:
        """Wait for its end."""
        self._thread.join(SECONDS)
        assert not self._thread.is_alive(), "it waits for ever"


def text(size: int) -> bytes:
    """Some text of that size."""
    return b"x" * size


def taken(handoff: Handoff[str]) -> tuple[str, list[int]] | None:
    """What is taken next: the group and the sizes of its texts."""
    found = handoff.take()
    return found and (found[0], [len(each) for each in found[1]])


@settings(deadline=None, max_examples=60)
@given(TEXTS)
@example([(0, 1), (0, LIMIT)])
@example([(number % 500, 1 + LIMIT // 400) for number in range(1000)])
def test_everything_is_taken_once_in_the_order_of_its_group(texts: list[tuple[int, int]]) -> None:
    """Large texts or small, few groups or many: no deadlock, and at most one text over the limit is held."""
    handoff = Handoff[int](LIMIT)
    put: dict[int, list[bytes]] = defaultdict(list)
    got: dict[int, list[bytes]] = defaultdict(list)
    held, most = 0, 0
    lock = threading.Lock()

    def load() -> None:
        nonlocal held
        while found := handoff.take():
            with lock:
                held -= sum(map(len, found[1]))
            got[found[0]].extend(found[1])

    loading = None
    for number, (group, size) in enumerate(texts):
        one = b"%06d" % number + text(size)
        put[group].append(one)
        with lock:
            held += len(one)
            most = max(most, held)
        handoff.put(group, one)
        # As `CopyThread` does it: the thread is started once there is something for it.
        if loading is None and handoff.is_worth_loading:
            loading = Thread(load)
        waiting = Thread(handoff.wait)
        waiting.end()
        with lock:
            assert held <= LIMIT
    handoff.close()
    (loading or Thread(load)).end()
    assert got == put
    assert most <= LIMIT + max((size + 6 for _, size in texts), default=0)


def test_small_groups_are_left_to_grow() -> None:
    """A group is worth a COPY once it has enough, or once the handoff is half full."""
    handoff = Handoff[str](LIMIT)
    handoff.put("a", text(WORTH_A_COPY - 1))
    assert not handoff.is_worth_loading
    loading = Thread(handoff.take)
    assert loading.waits
    handoff.put("a", text(1))
    loading.end()
    for group in "bcd":
        assert not handoff.is_worth_loading
        handoff.put(group, text(WORTH_A_COPY * 3 // 4))
    assert handoff.is_worth_loading


def test_the_largest_group_comes_first() -> None:
    """At most as much of it as is worth one COPY."""
    handoff = Handoff[str](8 * LARGEST_COPY)
    handoff.put("a", text(WORTH_A_COPY))
    for _ in range(3):
        handoff.put("b", text(LARGEST_COPY * 2 // 3))
    handoff.put("c", text(WORTH_A_COPY + 1))
    handoff.close()
    assert taken(handoff) == ("b", [LARGEST_COPY * 2 // 3] * 2)
    assert taken(handoff) == ("b", [LARGEST_COPY * 2 // 3])
    assert taken(handoff) == ("c", [WORTH_A_COPY + 1])
    assert taken(handoff) == ("a", [WORTH_A_COPY])
    assert taken(handoff) is None


def test_putting_too_much_waits_until_it_is_taken() -> None:
    """Even if a single text is larger than the limit."""
    handoff = Handoff[str](LIMIT)
    handoff.put("a", text(3 * LIMIT))
    waiting = Thread(handoff.wait)
    assert waiting.waits
    assert taken(handoff) == ("a", [3 * LIMIT])
    waiting.end()


def test_closing_lets_the_rest_be_taken() -> None:
    """However little it is; a thread that waits for more learns that there is none."""
    handoff = Handoff[str](LIMIT)
    loading = Thread(handoff.take)
    assert loading.waits
    handoff.close()
    loading.end()
    handoff = Handoff[str](LIMIT)
    handoff.put("a", b"x")
    handoff.close()
    assert taken(handoff) == ("a", [1])
    assert taken(handoff) is None


@pytest.mark.parametrize("waits", ["put", "take"])
def test_abandoning_ends_all_waiting(waits: str) -> None:
    """Nothing is left, and what is put later is dropped."""
    handoff = Handoff[str](LIMIT)
    if waits == "put":
        handoff.put("a", text(LIMIT + 1))
    waiting = Thread(handoff.wait if waits == "put" else handoff.take)
    assert waiting.waits
    handoff.abandon()
    waiting.end()
    handoff.put("a", text(LIMIT + 1))
    handoff.wait()
    assert not handoff.is_worth_loading
    assert handoff.take() is None
