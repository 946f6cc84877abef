"""What the explorer finds: faults of today's program, none under the rules, and one without each of them."""

from __future__ import annotations

import pytest

from .explorer import Found, explore
from .faults import all_loaded, exact_and_in_order, exactly_once, silent_double
from .rules import ALL, ORDER, Rule
from .scenarios import EXACT, HARMLESS, INSIDE, TODAYS, UNTIMED

FAULTS_OF_TODAY = {
    "target restored": "skipped",
    "source restored": "skipped",
    "queue made anew": "skipped",
    "rewind": "passes over",
    "two sources": "skips",
    "pgq_ext, original": "twice",
    "pgq_ext, two queues": "skips",
    "pgq_ext, source restored": "skips",
}
"""By scenario: a word of the fault."""

NEEDED = {
    Rule.HOLD_ROW: ("misjudged twice", "twice"),
    Rule.CHECK_EPOCH: ("misjudged twice", "epoch of another"),
    Rule.REWRITE_TICK: ("beside the original", "twice"),
    Rule.OLD_KEY: ("beside today's", "twice"),
    Rule.FIRST_TICK_FIRST: ("queue made anew", "skipped"),
    Rule.NONE_IS_LOST: ("target restored", "skipped"),
    Rule.TIMES_AT_START: ("source restored, commands", "skipped"),
    Rule.TIMES_AT_END: ("source restored, commands", "skips"),
    Rule.REWIND_TIMES: ("source restored, commands", "passes over"),
    Rule.ONLY_UNREGISTERED: ("losses", "blocked"),
    Rule.RESET_WRITES: ("target restored", "blocked"),
    Rule.NAME_CLAIM: ("two queues", "skips"),
    Rule.SOURCE_KNOWN: ("two sources", "skipped"),
    Rule.TIME_OF_ITS_TICK: ("beside the original", "blocked"),
    Rule.ASK_AGAIN: ("beside the original", "blocked"),
}
"""Where a rule is missed first, and a word of the fault."""

OF_ORDER = {"blocked", "epoch of another"}
"""Words of faults that neither double nor lose an event."""

HELPED = {Rule.HOLD_ROW: {Rule.OLD_KEY}}
"""Rules that do another's work too: as long as the old key is taken, it excludes as well as the row does."""


def _word_of(found: Found, word: str) -> bool:
    """Whether it is that fault, with a way there; shows the way if it is not."""
    assert word in found.fault, str(found)
    assert found.trace
    return True


@pytest.mark.parametrize("name", FAULTS_OF_TODAY)
def test_today_s_program_has_each_fault(name: str) -> None:
    """The explorer finds what people have seen."""
    assert _word_of(explore(TODAYS[name], frozenset(), exactly_once), FAULTS_OF_TODAY[name])


def test_today_s_program_stands_losses() -> None:
    """Crashes and lost connections alone never made it lose or double an event."""
    found = explore(HARMLESS, frozenset())
    assert not found.fault, str(found)


@pytest.mark.parametrize("name", EXACT)
def test_the_rules_hold(name: str) -> None:
    """Nothing doubles or is skipped; nobody works in another's epoch, is blocked without cause, or stuck."""
    found = explore(EXACT[name])
    assert not found.fault, str(found)


@pytest.mark.parametrize("name", [name for name, each in EXACT.items() if not each.disturbed])
def test_the_work_is_done(name: str) -> None:
    """The rules are not kept by doing nothing: there is a way on which all is loaded."""
    assert _word_of(explore(EXACT[name], judge=all_loaded), "all is loaded")


@pytest.mark.parametrize("rule", Rule, ids=lambda rule: rule.name)
def test_each_rule_is_needed(rule: Rule) -> None:
    """Without it, and without those that do its work too, there is a fault."""
    name, word = NEEDED[rule]
    judge = exact_and_in_order if word in OF_ORDER else exactly_once
    assert _word_of(explore(EXACT[name], ALL - {rule} - HELPED.get(rule, set()), judge), word)


@pytest.mark.parametrize("name", ["misjudged twice", "losses", "target restored", "beside the original"])
def test_order_is_no_matter_of_exactly_once(name: str) -> None:
    """Without the rules that keep order, events are still loaded exactly once."""
    found = explore(EXACT[name], ALL - ORDER, exactly_once)
    assert not found.fault, str(found)


@pytest.mark.parametrize("name", ["misjudged", "misjudged twice", "target restored", "two and the original"])
def test_the_old_key_may_go_with_the_old_version(name: str) -> None:
    """Where nobody runs the version before, the rules hold without its key."""
    found = explore(EXACT[name], ALL - {Rule.OLD_KEY})
    assert not found.fault, str(found)


def test_an_original_inside_the_batch_doubles_and_one_is_told() -> None:
    """The exception: both load the batch. One of the two ``finish_batch`` answers 0."""
    assert _word_of(explore(INSIDE), "twice")
    found = explore(INSIDE, judge=silent_double)
    assert not found.fault, str(found)


def test_an_original_that_went_on_last_leaves_a_tick_without_a_time() -> None:
    """The other exception: after it, a restored source is told by numbers only."""
    assert _word_of(explore(UNTIMED, judge=exactly_once), "skip")


def test_nothing_is_left_out() -> None:
    """Every scenario of today's program has its fault, every rule its need."""
    assert set(FAULTS_OF_TODAY) == set(TODAYS)
    assert set(NEEDED) == set(Rule)
