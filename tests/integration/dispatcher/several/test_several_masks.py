"""What masks the dead letters of several tables, whose events may find no table."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from harness.rows.job import act
from harness.several.threetables import Several
from tdsup.dispatcher.errors import SetupError
from tdsup.dispatcher.load import destinations

NOT_KEPT = "; its data is not kept, as nothing tells which part of it mask hides"


@pytest.fixture
def mask(tmp_path: Path) -> Mapping[str, str]:
    """Keys that mask notes."""
    (tmp_path / "key").write_text("a secret of thirty-two characters", encoding="utf-8")
    return {"mask": "note: hmac", "mask_key_file": str(tmp_path / "key")}


def letters(several: Several) -> list[tuple[str, str | None]]:
    """Reason and data of each dead letter; fails if one holds what is to be masked."""
    found = several.target.rows("select reason, ev_data, d::text from tdsup.dead_letter d order by ev_id")
    assert not [text for *_, text in found if "secret" in text]
    return [(reason, data) for reason, data, _ in found]


@pytest.mark.parametrize("unlisted", ["error", "ignore"])
def test_a_table_without_a_section(several: Several, mask: Mapping[str, str], unlisted: str) -> None:
    """It may be a partition that is gone, or has just come: nothing tells what its columns are."""
    several.source.execute(
        "create table p (id int, day date, note text, primary key (id, day)) partition by range (day);"
        "create table p_1 partition of p for values from ('2026-01-01') to ('2026-02-01')"
    )
    several.target.execute("create table p (like a including all)")
    several.queue.attach("p", "backup")
    several.run(
        "insert into p values (1, '2026-01-01', 'secret')",
        "update p set note = 'secret2'",
        "drop table p_1",
        "insert into more.c values (1, null, 'secret')",
    )
    several.queue.insert("I:id", "", "")
    several.queue.tick()
    values = several.drain({"p": mask}, unlisted_tables=unlisted)
    if unlisted == "ignore":
        assert (values["dead_letters"], values["passed_over"]) == (0, 4)
        return
    reason = "it is of {}, for which there is no section (unlisted_tables)"
    assert letters(several) == [
        (reason.format("public.p_1") + NOT_KEPT, None),
        (reason.format("public.p_1") + NOT_KEPT, None),
        (reason.format("more.c") + NOT_KEPT, None),
        (reason.format("no table") + NOT_KEPT, None),
    ]


def test_without_masks_all_is_kept(several: Several) -> None:
    """As the event was."""
    several.run("insert into b values (1, null, 'x')")
    several.drain({"a": {}})
    assert letters(several) == [
        ("it is of public.b, for which there is no section (unlisted_tables)", "id=1&day&note=x")
    ]


def test_a_section_masks_what_it_cannot_load(several: Several, mask: Mapping[str, str]) -> None:
    """As another has the table, the name is none, or the event cannot be read."""
    several.run("insert into a values (1, null, 'secret')")
    several.queue.insert("I:id", "id=2&note=secret", "more.a")
    several.queue.insert("I:id", "id=3&note=secret", "more.a")
    several.queue.insert("I:id", "id=4&note=secret", "more.b\n")
    several.queue.insert('{"op":"UPSERT","pkey":["id"]}', '{"id":7,"note":"secret"}', "public.b")
    several.queue.tick()
    assert several.drain({"?": mask, "more.*": {**mask, "dest_table": "%(table)s"}})["rows"] == 1
    found = letters(several)
    reasons = [reason for reason, _ in found]
    assert reasons[:2] == ["it goes to public.a, which section [table public.?] loads already"] * 2
    assert reasons[2].startswith("its ev_extra1 is no name of a table")
    assert [data and data[:17] for _, data in found] == [
        *(f"id={number}&note=hmac%3A" for number in (2, 3, 4)), None
    ]  # fmt: skip


def test_too_many_tables(several: Several, mask: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that are too many are masked by their section, too."""
    monkeypatch.setattr(destinations, "MAX_TABLES", 1)
    several.run("insert into a values (1, null, 'secret')", "insert into b values (2, null, 'secret')")
    assert several.drain({"*": mask})["rows"] == 1
    ((reason, data),) = letters(several)
    assert reason.startswith("it is of public.b, and one job loads at most 1 tables")
    assert data is not None
    assert data.startswith("id=2&day&note=hmac")


def test_the_job_s_own_table(several: Several, mask: Mapping[str, str]) -> None:
    """Events without a section are masked by the job's own keys, if they go to its table."""
    several.target.execute("create table rest (id int check (id < 5), day date, note text)")
    several.run("insert into b values (9, null, 'secret')")
    several.drain({"a": {"mask": ""}}, dest_table="rest", **mask)
    ((_, data),) = letters(several)
    assert data is not None
    assert data.startswith("id=9&day&note=hmac")


def test_a_letter_of_a_table_without_a_section_keeps_what_it_had(
    several: Several, mask: Mapping[str, str]
) -> None:
    """A replay changes its reason alone; what was left out cannot be loaded later."""
    several.run("insert into b values (1, null, 'x')")
    several.drain({"a": {}})
    act("replay", several.keys({"a": mask}))
    assert letters(several) == [
        ("it is of public.b, for which there is no section (unlisted_tables)", "id=1&day&note=x")
    ]
    several.run("insert into b values (2, null, 'secret')")
    several.drain({"a": mask})
    told = act("replay", several.keys({"a": mask, "b": {}}))
    assert [line.partition(": ")[2] for line in told[:2]] == ["loaded", "its data is NULL"]
    assert several.target.column("select id from b") == [1]


def test_a_section_without_its_key_blocks_the_job(several: Several, mask: Mapping[str, str]) -> None:
    """Nothing of an event that cannot be masked is kept."""
    several.run("insert into a values (1, null, 'secret')")
    several.queue.insert("{", "secret", "public.a")
    several.queue.tick()
    Path(mask["mask_key_file"]).unlink()
    with pytest.raises(SetupError, match="cannot read mask_key_file"):
        several.drain({"a": mask})
    assert letters(several) == []
