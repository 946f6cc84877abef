"""What users have run before and after a partition is created, and the words of Londiste."""

from __future__ import annotations

import pytest
from harness.rows.check import fine
from harness.rows.job import settings_of
from harness.rows.orders import Orders
from harness.rows.pipeline import Pipeline
from pydantic import ValidationError
from tdsup.dispatcher.errors import SetupError

LOG = "create table log (id serial, what text)"

NOTE = (
    "insert into log (what) "
    "values ('{} %(period)s %(part_time)s %(part_field)s ' || coalesce(to_regclass('%(part)s')::text, '-'))"
)
"""Notes when it is run, and what the new table is by then."""

BEFORE, AFTER = NOTE.format("before"), NOTE.format("after")

CREATE = {
    "a clone": "",
    "a template": "create table %(dest)s (primary key (%(pkeys)s)) inherits (%(parent)s)",
}


@pytest.mark.parametrize("template", CREATE.values(), ids=CREATE)
def test_sql_is_run_before_and_after_a_partition_is_created(pipeline: Pipeline, template: str) -> None:
    """Once each for a partition, around its template or clone."""
    pipeline.target.execute(LOG)
    pipeline.insert(20, days=2)
    values = pipeline.drain(part_template=template, pre_part=BEFORE, post_part=AFTER)
    assert values["partitions"] == 2
    pipeline.check()
    told = pipeline.target.column("select what from log order by what desc")
    assert told == [
        "before day 2026-11-02 00:00:00 day -",
        "before day 2026-11-01 00:00:00 day -",
        "after day 2026-11-02 00:00:00 day t_2026_11_02",
        "after day 2026-11-01 00:00:00 day t_2026_11_01",
    ]


def test_nothing_of_a_partition_stays_if_sql_of_its_creation_fails(pipeline: Pipeline) -> None:
    """All of it is one transaction."""
    pipeline.target.execute(LOG)
    pipeline.insert(1)
    with pytest.raises(SetupError, match=r"cannot create table public\.t_2026_11_02: division by zero"):
        pipeline.drain(part_template="", pre_part=BEFORE, post_part="select 1 / 0")
    assert pipeline.target.value("select count(*) from log") == 0
    assert pipeline.target.value("select to_regclass('t_2026_11_02') is null")


def test_an_index_of_post_part_counts_for_the_row_mode(pipeline: Pipeline) -> None:
    """As one that a template makes does: what names a row is what new tables have."""
    pipeline.target.execute("drop table t; create table t (id int, day date, note text)")
    pipeline.insert(4)
    unique = "alter table %(part)s add primary key (%(pkeys)s)"
    pipeline.drain(part_template="", post_part=unique, row_mode="auto")
    pipeline.source.execute("update t set note = 'new' where id = 1")
    pipeline.queue.tick()
    pipeline.drain(part_template="", post_part=unique, row_mode="auto")
    assert pipeline.target.column("select note from t where id = 1") == ["new"]


def test_a_check_shows_what_would_be_run(orders: Orders) -> None:
    """In its order, with words replaced."""
    keys = orders.keys(part_template="", pre_part="select '%(parent)s'", post_part="analyze %(part)s")
    text = fine(keys)
    first, create, last = (text.index(each) for each in ("select 'public", "create table", "analyze public"))
    assert first < create < last


@pytest.mark.parametrize("key", ["pre_part", "part_template", "post_part"])
def test_a_strange_word_is_told(key: str) -> None:
    """By its key, with the nearest that there is."""
    keys = {"src_db": "", "dst_db": "", "pgq_queue_name": "q", "dest_table": "t"}
    with pytest.raises(ValidationError, match=rf"(?s){key}.*did you mean parent"):
        settings_of(**keys, **{key: "select '%(parnt)s'"})
