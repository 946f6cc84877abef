"""What ``part_by`` may name, and which keys it cannot be used with."""

from __future__ import annotations

import pytest
from pydantic import ValidationError
from tdsup.dispatcher.settings import Settings

MINIMUM = {
    "job_name": "orders",
    "src_db": "dbname=shop",
    "dst_db": "dbname=archive",
    "pgq_queue_name": "q",
    "dest_table": "orders",
    "part_field": "day",
    "part_by": "region, day",
}


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({"part_by": "day"}, "must name one column or more and then that of part_field"),
        ({"part_by": "day, region"}, "must name one column or more and then that of part_field"),
        ({"part_field": ""}, "must name one column or more and then that of part_field"),
        ({"part_field": "_EVTIME", "part_by": "region, _EVTIME"}, "must name one column or more and then"),
        ({"part_by": "region, region, day"}, "must name no column twice"),
        ({"part_template": "create table _DEST_TABLE ()"}, "must not be set beside part_by"),
        ({"part_kind": "alone"}, "must not be set beside part_by"),
        ({"row_mode": "keep_latest"}, "must not be keep_latest with part_by"),
        ({"mask": "region: null"}, "must not mask region, which part_by names"),
        ({"skip_fields": "region"}, "must load column region, which part_by names"),
        ({"fields": "id, region"}, "must load column day, which part_by names"),
        ({"fields": "id, region, at:day"}, "must load column day, which part_by names"),
    ],
)
def test_refusals(keys: dict[str, str], reason: str) -> None:
    """Each says what is wrong."""
    with pytest.raises(ValidationError, match=reason):
        Settings.model_validate({**MINIMUM, **keys})


@pytest.mark.parametrize(
    ("keys", "sources", "columns"),
    [
        ({}, (b"region",), ("region", "day")),
        ({"part_kind": "auto", "part_template": " "}, (b"region",), ("region", "day")),
        ({"fields": "*, region:area, day:at"}, (b"region",), ("area", "at")),
        ({"part_by": "region,kind,day"}, (b"region", b"kind"), ("region", "kind", "day")),
        ({"constants": "region: eu"}, (b"=region",), ("region", "day")),
        ({"part_by": ""}, (), ()),
    ],
)
def test_columns(keys: dict[str, str], sources: tuple[bytes, ...], columns: tuple[str, ...]) -> None:
    """They are named as in the source, and known as the table has them; constants count."""
    settings = Settings.model_validate({**MINIMUM, **keys})
    assert settings.list_sources == sources
    assert settings.partitioning.columns == columns


def test_sections_have_their_own() -> None:
    """What a section says of its table holds there."""
    tables = {"a": {"part_by": "kind, day"}, "b": {"part_by": ""}}
    shared = {**MINIMUM, "tables": tables}
    del shared["dest_table"]
    settings = Settings.model_validate(shared)
    assert [each.partitioning.lists for each in settings.named()] == [("kind",), ()]
