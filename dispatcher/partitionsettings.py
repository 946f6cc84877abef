"""How a table of the target is partitioned: the keys ``part_*``."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field, ValidationInfo, field_validator
from tdsup.jobtype import no_effect

from .keyvalues import Day, Duration, Table, ZoneName
from .partitions import EPOCH, SOURCES_OF_TIME, Method, Partitioning, check_template


class PartitionSettings(BaseModel):
    """A table of the target, and its partitions."""

    dest_table: Table = Field(
        examples=["orders"],
        description="Table to load; with part_field, its name is the first part of the partitions' names.",
    )
    part_field: str = Field(
        "",
        description="Source column whose date names the partition; _EVTIME: the event's time; _BATCHTIME: "
        "that of the tick that ends its batch; _NOW: the target's when it loads the batch; empty: the table "
        "is not partitioned.",
    )
    part_column: str = Field(
        "",
        description="What the original's sample file calls part_field.",
        json_schema_extra=no_effect(
            "the original never read it, and dest_table is loaded whole unless part_field is given; "
            "part_field in its place would load a table for each day or month of that column"
        ),
    )
    part_method: Method = Field(
        "daily",
        description="Length of a partition: hourly, daily, weekly (ISO 8601), monthly, quarterly, yearly.",
    )
    part_epoch: Literal["", "seconds", "milliseconds"] = Field(
        "",
        description="Unit of a part_field that holds numbers, counted from 1970 on: seconds or milliseconds; "
        "empty: it holds dates or times.",
    )
    part_time_zone: ZoneName = Field(
        "",
        description="Time zone of the hours and days of partitions, such as Europe/Tallinn; values without "
        "an offset are taken as they are written. Empty: all values are, and moments are the source's.",
    )
    part_name: str = Field(
        "",
        description="What partitions are called, with the words %(parent)s, %(year)s, %(quarter)s, "
        "%(month)s, %(week)s, %(day)s and %(hour)s, whose % is written twice in a file; empty: dest_table, "
        "_ and the date, as part_method says.",
    )
    part_template: str = Field(
        "",
        description="SQL that creates a missing partition, with the words _DEST_TABLE, _SCHEMA_TABLE, "
        "_PARENT and _PKEY; empty: clone dest_table.",
    )
    part_past: Day = Field(
        EPOCH,
        description="Day from which on missing partitions are made, or from the oldest that there is; events "
        "of earlier days are dead letters, unless they have a partition.",
    )
    part_future: Duration = Field(
        "5 years",
        description="How far from today missing partitions are made, such as 90 days; events of later days "
        "are dead letters, unless they have a partition.",
    )
    part_limit: int = Field(
        100,
        ge=1,
        description="Most partitions that are made for one batch; the rest of its events are dead letters.",
    )

    @field_validator("part_name")
    @classmethod
    def _check_name(cls, value: str, info: ValidationInfo) -> str:
        if value and "part_method" in info.data:
            check_template(value, info.data["part_method"])
        return value

    @field_validator("part_epoch")
    @classmethod
    def _check_epoch(cls, value: str, info: ValidationInfo) -> str:
        if value and info.data.get("part_field", "") in {"", *SOURCES_OF_TIME}:
            raise ValueError("must be empty unless part_field names a column")
        return value

    @property
    def partitioning(self) -> Partitioning:
        """How `dest_table` is partitioned."""
        return Partitioning(
            self.dest_table,
            self.part_field,
            self.part_method,
            self.part_template,
            self.part_past,
            self.part_future,
            self.part_limit,
            self.part_name,
            self.part_time_zone,
            self.part_epoch,
        )
