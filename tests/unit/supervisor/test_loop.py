"""The loop that waits for everything in the master."""

from __future__ import annotations

import os
import selectors
import socket

from tdsup.supervisor.loop import Loop


def turns(loop: Loop, *pairs: socket.socket) -> None:
    """Make each of some sockets readable, and run the loop until it is stopped."""
    for each in pairs:
        each.send(b"x")
    loop.run()


def test_a_child_that_closes_everything_takes_nothing_away() -> None:
    """It shares the registrations; descriptors that it closes stay watched."""
    loop = Loop()
    ours, theirs = socket.socketpair()
    loop.watch(ours.fileno(), selectors.EVENT_READ, lambda _events: loop.stop())
    child = os.fork()
    if not child:
        os.closerange(3, 4096)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    turns(loop, theirs)
    loop.close()
    ours.close()
    theirs.close()


def test_a_number_that_is_given_out_again_is_watched_anew() -> None:
    """Though nobody said that the first descriptor was closed."""
    loop = Loop()
    first, second = socket.socketpair()
    number = first.fileno()
    loop.watch(number, selectors.EVENT_READ, lambda _events: None)
    first.close()
    second.close()
    ours, theirs = socket.socketpair()
    assert number in {ours.fileno(), theirs.fileno()}
    mine, other = (ours, theirs) if ours.fileno() == number else (theirs, ours)
    loop.watch(mine.fileno(), selectors.EVENT_READ, lambda _events: loop.stop())
    turns(loop, other)
    loop.close()
    ours.close()
    theirs.close()
