"""Keys of advisory locks."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tdsup.dispatcher.postgres.locks import lock_key


@given(
    st.text(st.characters(codec="utf-8", exclude_characters="\0")),
    st.text(st.characters(codec="utf-8", exclude_characters="\0")),
)
def test_lock_keys_fit_the_server(queue: str, consumer: str) -> None:
    """A key is a signed 64-bit number, the same each time, and depends on both names and their order."""
    key = lock_key("position", queue, consumer)
    assert -(2**63) <= key < 2**63
    assert key == lock_key("position", queue, consumer)
    if (queue, consumer) != (consumer, queue):
        assert key != lock_key("position", consumer, queue)
