"""Prints what the explorer finds: each scenario with its states, and what today's program does in its own."""

from __future__ import annotations

import sys

from .explorer import explore
from .rules import Rule
from .scenarios import EXACT, INSIDE, TODAYS, UNTIMED


def main() -> None:
    """Print it as text."""
    say = sys.stdout.write
    for rule in Rule:
        say(f"{rule.name}: {rule.sentence}\n")
    for scenario in (*EXACT.values(), INSIDE, UNTIMED):
        found = explore(scenario)
        say(f"\nunder the rules: {scenario.name}\n{found}\n")
    for scenario in TODAYS.values():
        say(f"\ntoday's program: {scenario.name}\n{explore(scenario, frozenset())}\n")


if __name__ == "__main__":
    main()
