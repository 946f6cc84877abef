"""The stock between two threads: bounded, in order, and nobody waits for ever."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tdsup.dispatcher.load.handoff import LEAST, MOST, Stock

SECONDS = 20
"""Longest that a thread may take; a deadlock is one that takes longer."""

LIMIT = 4 * LEAST

TEXTS = st.lists(st.tuples(st.integers(0, 5), st.integers(1, 2 * LIMIT)), max_size=12)
"""Places and sizes."""


class Thread:
    """Something that another thread does meanwhile."""

    def __init__(self, act: Callable[[], object]) -> None:
        # A thread that never ends is a failure of its test, not of those behind it.
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


def taken(stock: Stock[str]) -> tuple[str, list[int]] | None:
    """What is taken next: place and sizes."""
    found = stock.take()
    return found and (found[0], [len(each) for each in found[1]])


@settings(deadline=None, max_examples=60)
@given(TEXTS)
@example([(0, 1), (0, LIMIT)])
@example([(number % 500, 1 + LIMIT // 400) for number in range(1000)])
def test_all_is_taken_once_in_the_order_of_its_place(texts: list[tuple[int, int]]) -> None:
    """Whatever is put, large or small, for few places or many: no deadlock, and never much more is held."""
    stock = Stock[int](LIMIT)
    put: dict[int, list[bytes]] = defaultdict(list)
    got: dict[int, list[bytes]] = defaultdict(list)
    held, most = 0, 0
    lock = threading.Lock()

    def load() -> None:
        nonlocal held
        while found := stock.take():
            with lock:
                held -= sum(map(len, found[1]))
            got[found[0]].extend(found[1])

    loading = None
    for number, (place, size) in enumerate(texts):
        one = b"%06d" % number + text(size)
        put[place].append(one)
        with lock:
            held += len(one)
            most = max(most, held)
        stock.put(place, one)
        # As the one who puts does it: a thread is started when there is something for it.
        if loading is None and stock.is_worth_loading:
            loading = Thread(load)
        waiting = Thread(stock.wait)
        waiting.end()
        with lock:
            assert held <= LIMIT
    stock.close()
    (loading or Thread(load)).end()
    assert got == put
    assert most <= LIMIT + max((size + 6 for _, size in texts), default=0)


def test_small_heaps_are_left_to_grow() -> None:
    """A place is worth a COPY once it has enough, or once the stock is half full."""
    stock = Stock[str](LIMIT)
    stock.put("a", text(LEAST - 1))
    assert not stock.is_worth_loading
    loading = Thread(stock.take)
    assert loading.waits
    stock.put("a", text(1))
    loading.end()
    for place in "bcd":
        assert not stock.is_worth_loading
        stock.put(place, text(LEAST * 3 // 4))
    assert stock.is_worth_loading


def test_the_largest_heap_comes_first() -> None:
    """And of a place no more than is worth one COPY."""
    stock = Stock[str](8 * MOST)
    stock.put("a", text(LEAST))
    for _ in range(3):
        stock.put("b", text(MOST * 2 // 3))
    stock.put("c", text(LEAST + 1))
    stock.close()
    assert taken(stock) == ("b", [MOST * 2 // 3] * 2)
    assert taken(stock) == ("b", [MOST * 2 // 3])
    assert taken(stock) == ("c", [LEAST + 1])
    assert taken(stock) == ("a", [LEAST])
    assert taken(stock) is None


def test_who_has_put_too_much_waits_until_it_is_taken() -> None:
    """Also for a text that is larger than the whole stock."""
    stock = Stock[str](LIMIT)
    stock.put("a", text(3 * LIMIT))
    waiting = Thread(stock.wait)
    assert waiting.waits
    assert taken(stock) == ("a", [3 * LIMIT])
    waiting.end()


def test_closing_lets_the_rest_be_taken() -> None:
    """However little it is; who waits for more learns that there is none."""
    stock = Stock[str](LIMIT)
    loading = Thread(stock.take)
    assert loading.waits
    stock.close()
    loading.end()
    stock = Stock[str](LIMIT)
    stock.put("a", b"x")
    stock.close()
    assert taken(stock) == ("a", [1])
    assert taken(stock) is None


@pytest.mark.parametrize("waits", ["put", "take"])
def test_abandoning_ends_all_waiting(waits: str) -> None:
    """Nothing is there any more, and what is put is forgotten."""
    stock = Stock[str](LIMIT)
    if waits == "put":
        stock.put("a", text(LIMIT + 1))
    waiting = Thread(stock.wait if waits == "put" else stock.take)
    assert waiting.waits
    stock.abandon()
    waiting.end()
    stock.put("a", text(LIMIT + 1))
    stock.wait()
    assert not stock.is_worth_loading
    assert stock.take() is None
