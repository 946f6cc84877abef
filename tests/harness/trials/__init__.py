"""Trials of the fleet: each is a claim, tried so many times in a directory of its own.

A trial returns one line that says what it measured, and raises AssertionError where the claim does not hold.
The tests in ``tests/chaos`` try a few times, ``script/soak`` as often as docs/figures.md says.
"""
