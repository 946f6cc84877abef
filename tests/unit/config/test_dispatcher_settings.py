"""The settings of a table_dispatcher job."""

from __future__ import annotations

import pytest
from pydantic import ValidationError
from tdsup.dispatcher.postgres.identifier import TableName
from tdsup.dispatcher.settings import FieldMap, Settings, Word

MINIMUM = {
    "job_name": "orders",
    "src_db": "dbname=shop",
    "dst_db": "dbname=archive password=hunter2",
    "pgq_queue_name": "sourceq",
    "dest_table": "orders",
}


def test_minimum_is_enough() -> None:
    """Four keys make a job; the rest has the original's defaults."""
    settings = Settings.model_validate(MINIMUM)
    assert settings.dest_table == TableName("public", "orders")
    assert settings.consumer_name == "orders"
    assert settings.loop_delay == 1.0
    assert settings.part_method == "daily"
    assert settings.fields == FieldMap()


def test_old_names_mean_the_same() -> None:
    """queue_name and consumer_name are read where the newer names are not given."""
    old = {**MINIMUM, "queue_name": "old", "consumer_name": "c"}
    assert Settings.model_validate(old).queue == "sourceq"
    del old["pgq_queue_name"]
    settings = Settings.model_validate(old)
    assert (settings.queue, settings.consumer_name) == ("old", "c")


def test_fields_select_and_rename() -> None:
    """`a, b:new` loads two columns, one under another name."""
    settings = Settings.model_validate({**MINIMUM, "fields": " id, order_date : day "})
    assert settings.fields.named == ((b"id", "id"), (b"order_date", "day"))
    assert settings.fields.rename([b"order_date", b"other"]) == ("day",)


def test_a_star_stands_for_all_other_fields() -> None:
    """Renamed columns stand beside it; who is skipped, or whose name another one has taken, is left out."""
    given = {"fields": "b:a, *, _OP:op", "skip_fields": "c, x", "constants": "shop: 7"}
    fields = Settings.model_validate({**MINIMUM, **given}).fields
    assert fields.choose([b"id", b"a", b"b", b"c", b"op", b"shop", b"_OP", b"=shop"]) == (b"id", b"b")
    assert fields.rename([b"b", b"id", b"c", b"shop"]) == ("a", "id")
    assert fields.required == ()
    assert fields.given == ((b"=shop", "7"), (b"_OP", Word.OP))
    assert fields.all_targets([b"=shop", b"_OP", b"id", b"b"]) == ("shop", "op", "id", "a")
    assert fields.named_targets == {"shop": "constants", "op": "fields", "a": "fields"}


def test_words_need_no_columns() -> None:
    """A log may hold what is told of changes alone."""
    fields = Settings.model_validate({**MINIMUM, "fields": "_OP, _EVTIME:at"}).fields
    assert fields.choose([b"id"]) == ()
    assert fields.given == ((b"_OP", Word.OP), (b"_EVTIME", Word.EVTIME))
    assert fields.all_targets([b"_OP", b"_EVTIME"]) == ("_OP", "at")


def test_constants_are_texts() -> None:
    """Quotes are needed around what holds a comma, a quote or space at an end; all else is as it is."""
    text = " region: eu west ,shop:7, note : 'it''s, \\ ' , at:12:30:00, empty:''"
    assert Settings.model_validate({**MINIMUM, "constants": text}).constants == (
        *(("region", "eu west"), ("shop", "7"), ("note", "it's, \\ "), ("at", "12:30:00"), ("empty", "")),
    )


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("src_db", "host=x pass word=hunter2 ="),
        ("pgq_queue_name", ""),
        ("dest_table", "a.b.c"),
        ("part_method", "fortnightly"),
        ("fields", "a,,b"),
        ("fields", "a:b, c:b"),
        ("fields", "a, a:b"),
        ("fields", "*, a, *"),
        ("fields", "*:a"),
        ("fields", "*, a:"),
        ("fields", "_OP:a, _EVID:a"),
        ("fields", "_OP:a, _OP:b"),
        ("constants", "a"),
        ("constants", "a: 1,"),
        ("constants", "a:"),
        ("constants", "a: it's"),
        ("constants", "a: 'b"),
        ("constants", "a: 1, a: 2"),
        ("constants", "ctid: 1"),
        ("constants", f"{'x' * 64}: 1"),
        ("where", "status"),
        ("deleted_at", "x" * 64),
        ("loop_delay", "soon"),
        ("loop_delay", "nan"),
        ("connection_lifetime", "-1"),
    ],
)
def test_bad_values_are_refused(key: str, value: str) -> None:
    """A value that makes no sense is an error of its key, and a password is not quoted."""
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate({**MINIMUM, key: value})
    (fault,) = caught.value.errors()
    assert fault["loc"] == (key,)
    assert "hunter2" not in fault["msg"]


@pytest.mark.parametrize(
    ("fields", "other", "value"),
    [
        ("a, b", "skip_fields", "b"),
        ("*, b:c", "skip_fields", "b"),
        ("a, b:c", "constants", "c: 1"),
        ("*, _OP:c", "constants", "c: 1"),
        ("a, b:c", "deleted_at", "c"),
        ("*, _OP:c", "deleted_at", "c"),
    ],
)
def test_keys_of_columns_must_agree(fields: str, other: str, value: str) -> None:
    """No column is both loaded and left out, or loaded and constant; ``fields`` tells of it."""
    with pytest.raises(ValidationError, match=other) as caught:
        Settings.model_validate({**MINIMUM, "row_mode": "plain", "fields": fields, other: value})
    assert [fault["loc"] for fault in caught.value.errors()] == [("fields",)]


@pytest.mark.parametrize(("key", "value"), [("row_mode", "auto"), ("row_mode", "append"), ("where", "a = 1")])
def test_rows_that_stay_are_rows_that_change(key: str, value: str) -> None:
    """With deleted_at, each row of the source is one of the target."""
    with pytest.raises(ValidationError, match="deleted_at") as caught:
        Settings.model_validate({**MINIMUM, "row_mode": "plain", "deleted_at": "gone", key: value})
    assert [fault["loc"] for fault in caught.value.errors()] == [(key,)]


def test_what_is_masked_with_null_tells_nothing() -> None:
    """So where cannot ask whether it is NULL."""
    keys = {**MINIMUM, "where": "a is not null", "mask": "a: null"}
    with pytest.raises(ValidationError, match="must not mask a with null: where asks whether it is NULL"):
        Settings.model_validate(keys)
    assert Settings.model_validate({**keys, "mask": "a: 'hidden'"}).mask.of


def test_rows_that_are_kept_do_not_leave() -> None:
    """With keep_latest, a row that no longer matches would stay in other partitions."""
    with pytest.raises(ValidationError, match="must not be keep_latest with where"):
        Settings.model_validate({**MINIMUM, "row_mode": "keep_latest", "where": "a = 1"})


def test_every_option_is_described() -> None:
    """Sample file and documentation are made from the descriptions."""
    assert not [name for name, field in Settings.model_fields.items() if not field.description]
