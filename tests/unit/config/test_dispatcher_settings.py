"""The settings of a table_dispatcher job."""

from __future__ import annotations

import pytest
from pydantic import ValidationError
from tdsup.dispatcher.fieldmap import FieldMap
from tdsup.dispatcher.postgres.identifier import TableName
from tdsup.dispatcher.settings import Settings

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
    assert settings.fields == FieldMap(None)


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
    assert settings.fields.pairs == ((b"id", "id"), (b"order_date", "day"))
    assert settings.fields.rename([b"order_date", b"other"]) == ("day",)


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


def test_every_option_is_described() -> None:
    """Sample file and documentation are made from the descriptions."""
    assert not [name for name, field in Settings.model_fields.items() if not field.description]
