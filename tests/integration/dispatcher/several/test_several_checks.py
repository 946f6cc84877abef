"""What people are told of a job that loads several tables, before it runs and while it does."""

from __future__ import annotations

from harness.rows.check import examined
from harness.rows.job import act, settings_of
from harness.several.threetables import Several
from tdsup.dispatcher.job import TABLE_DISPATCHER
from tdsup.dispatcher.rights import grants


def test_the_check_looks_at_each_table(several: Several) -> None:
    """At its columns in the source, its table in the target, and what would become of its events."""
    several.target.execute("drop table b")
    several.run("insert into a values (1, '2026-11-24')", "insert into more.c values (2, '2026-11-24')")
    sections = {
        "a": {"part_field": "dya"},
        "b": {},
        "more.*": {"part_field": "day", "dest_table": "more.%(table)s"},
    }
    facts, faults = examined(several.keys(sections))
    text = "\n".join(facts)
    assert "target: public.a is a table" in text
    assert "target: more.c is a table" in text
    assert "events: event 2 goes to more.c_2026_11_24, which would be created (not tried) by" in text
    first, second = (fault.removeprefix("cannot run job: ") for fault in faults)
    assert first.startswith("source: public.a has no column dya, which part_field names (did you mean day?")
    assert second == "target: there is no table public.b, and no part_template that would create tables"


def test_the_check_tells_of_tables_without_a_section(several: Several) -> None:
    """And of sections without a table; both can run."""
    facts, faults = examined(several.keys({"a": {}, "other.*": {}}))
    text = "\n".join(facts)
    assert "warning: there is no section for more.c, whose rows are in queue q: they are bad events" in text
    assert "warning: there is no section for public.b" in text
    assert "source: no trigger of queue q is on a table of section [table other.*]" in text
    assert not faults
    facts, _ = examined(several.keys({"a": {}, "bb": {"dest_table": "b"}}, unlisted_tables="ignore"))
    note = "no trigger of queue q is on a table of section [table public.bb]; did you mean [table public.b]?"
    assert f"job: source: warning: {note}" in facts
    facts, _ = examined(several.keys({"a": {}, "c": {"dest_table": "b"}}, unlisted_tables="ignore"))
    assert "of section [table public.c]; did you mean [table more.c]?" in "\n".join(facts)
    facts, faults = examined(several.keys({"a": {}}, unlisted_tables="ignore"))
    assert not [fact for fact in facts if "public.b" in fact or "more.c" in fact]
    (fault,) = examined(several.keys({"x": {"dest_table": "a"}}, unlisted_tables="ignore"))[1]
    assert "no trigger of queue q is on a table of the sections (public.x); its triggers are on" in fault


def test_a_letter_goes_back_to_its_own_table(several: Several) -> None:
    """Each is tried with the settings of its section."""
    several.run("insert into a values (1, null)", "insert into b values (1, null), (2, '2026-11-24')")
    sections = {"a": {}, "b": {"part_field": "day"}}
    values = several.drain(sections)
    assert (values["rows"], values["dead_letters"]) == (2, 1)
    (letter,) = several.target.column("select id from tdsup.dead_letter")
    assert act("replay", several.keys(sections), str(letter))[0].startswith(f"{letter}: its partition value")
    assert act("replay", several.keys({**sections, "b": {}}), str(letter))[0] == f"{letter}: loaded"
    assert several.same("a", "b")


def test_a_letter_of_a_table_that_is_left_out_stays(several: Several) -> None:
    """Its section is gone, and other tables are ignored; when it is back, the letter is loaded."""
    several.target.execute("alter table b add constraint few check (id < 5)")
    several.run("insert into b values (9, '2026-01-01', 'precious')")
    several.drain({"a": {}, "b": {}})
    (letter,) = several.target.column("select id from tdsup.dead_letter")
    several.target.execute("alter table b drop constraint few")
    left_out = several.keys({"a": {}}, unlisted_tables="ignore")
    reason = "its table is left out now (table_filter, unlisted_tables)"
    assert act("replay", left_out)[:2] == [f"{letter}: {reason}", "loaded 0 of 1"]
    assert several.target.column("select reason from tdsup.dead_letter") == [reason]
    assert act("replay", several.keys({"a": {}, "b": {}}))[-1] == "loaded 1 of 1"
    assert several.same("b")


def test_rights_are_granted_for_each_table(several: Several) -> None:
    """Whose name the file tells."""
    sections = {"a": {}, "b": {"dest_table": "x.y"}, "more.*": {}}
    text = "\n".join(grants(settings_of(**several.keys(sections))))
    assert "on public.a to" in text
    assert "grant usage on schema x to" in text
    assert "-- Not told from here: the tables of section [table more.*]" in text


def test_labels_tell_the_first_tables(several: Several) -> None:
    """Of the sections."""
    for names, shown in (
        ("a x.*", "public.a, x.*"),
        ("a b c d e", "public.a, public.b, public.c and 2 more"),
    ):
        keys = several.keys({name: {} for name in names.split()})
        assert TABLE_DISPATCHER.labels(settings_of(**keys))["table"] == shown
