"""How a table of the target is partitioned, and for how long: ``part_*``, ``premake``, ``retention_*``."""

from __future__ import annotations

from functools import cached_property
from typing import Literal

from pydantic import BaseModel, Field, ValidationInfo, field_validator
from tdsup.jobtype import no_effect

from ..partitions import (
    EPOCH,
    SOURCES_OF_TIME,
    Action,
    Kind,
    LateEvents,
    Lifespan,
    Method,
    Partitioning,
    check_template,
    unknown_word,
)
from .keyvalues import Age, CommandLine, Day, Duration, Name, Names, Table, Words, ZoneName


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
    part_by: Names = Field(
        (),
        description="Source columns of a dest_table that is partitioned by lists of values, whose partitions "
        "are by time, such as region, day; the last one is part_field. Missing partitions of both kinds are "
        "made. Empty: dest_table is partitioned by time alone.",
        json_schema_extra={"shown_default": ""},
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
    part_template: Words = Field(
        "",
        description="SQL that creates a missing partition, with the words _DEST_TABLE, _SCHEMA_TABLE, "
        "_PARENT and _PKEY, or Londiste's, such as %(dest)s; empty: clone dest_table.",
    )
    pre_part: Words = Field(
        "",
        description="SQL to run before a partition is created, in the same transaction, with the words of "
        "part_template.",
    )
    post_part: Words = Field(
        "",
        description="SQL to run after a partition is created, in the same transaction, with the words of "
        "part_template.",
    )
    part_kind: Kind = Field(
        "auto",
        description="What a clone of dest_table is: auto, a partition if dest_table is partitioned, else its "
        "child; alone, a table of its own.",
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
    premake: int = Field(
        0,
        ge=0,
        le=1000,
        description="How many partitions after that of the present moment are made ahead of their rows.",
    )
    retention_period: Age = Field(
        "",
        description="How long a partition is kept after its last moment, such as 90 days or 3 months; empty: "
        "for ever.",
    )
    retention_schema: Name = Field(
        "", description="Schema that retention_action = move puts partitions into.", examples=["archive"]
    )
    retention_action: Action = Field(
        "",
        validate_default=True,
        description="What becomes of a partition after retention_period: drop; detach leaves it as a table "
        "of its own; move puts that into retention_schema.",
    )
    retention_limit: int = Field(
        10, ge=1, description="Most partitions that go at a time; the others go later."
    )
    retention_sql: str = Field(
        "",
        description="SQL that is run in the target before a partition goes, with the words %(part)s, "
        "%(parent)s, %(start)s and %(end)s, whose % is written twice in a file.",
    )
    retention_program: CommandLine = Field(
        (),
        description="Program, with its first arguments, that is run on the job's host before a partition "
        "goes; further ones are the partition's name, start and end. If it fails, the partition stays.",
        json_schema_extra={"shown_default": ""},
    )
    retention_program_limit: float = Field(
        3600.0,
        gt=0,
        allow_inf_nan=False,
        description="Most seconds that retention_program may take for a partition; no events are loaded "
        "meanwhile.",
    )
    late_events: LateEvents = Field(
        "create",
        description="A row whose partition is gone by retention_period: create makes that again; dead_letter "
        "makes the event a dead letter; ignore leaves it out.",
    )

    @field_validator("part_by")
    @classmethod
    def _check_lists(cls, names: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        part_field = info.data.get("part_field", "")
        if names and (len(names) < 2 or names[-1] != part_field or part_field in SOURCES_OF_TIME):
            raise ValueError("must name one column or more and then that of part_field, as in region, day")
        if len(set(names)) < len(names):
            raise ValueError("must name no column twice")
        return names

    @field_validator("part_template", "part_kind")
    @classmethod
    def _clones_branches(cls, value: str, info: ValidationInfo) -> str:
        if info.data.get("part_by") and value.strip() not in {"", "auto"}:
            raise ValueError("must not be set beside part_by, whose partitions are clones of dest_table")
        return value

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

    @cached_property
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
            self.pre_part,
            self.post_part,
            self.part_kind,
        )

    @field_validator("retention_action")
    @classmethod
    def _action_is_complete(cls, action: str, info: ValidationInfo) -> str:
        if info.data.get("retention_period") and not action:
            raise ValueError("must be drop, detach or move, as there is a retention_period")
        if action == "move" and not info.data.get("retention_schema", True):
            raise ValueError("must be drop or detach where there is no retention_schema")
        dest = info.data.get("dest_table")
        if action == "move" and dest is not None and info.data.get("retention_schema") == dest.schema:
            raise ValueError(
                "must not be move while retention_schema is the schema of dest_table: partitions would stay "
                "where they are; name another schema"
            )
        if action == "detach" and info.data.get("part_kind") == "alone":
            raise ValueError(
                "must be drop or move with part_kind = alone, as such tables stand alone already"
            )
        return action

    @field_validator("retention_sql")
    @classmethod
    def _words_are_known(cls, text: str) -> str:
        if word := unknown_word(text):
            raise ValueError(
                f"must have no other words than %(part)s, %(parent)s, %(start)s and %(end)s, and not {word}"
            )
        return text

    @cached_property
    def lifespan(self) -> Lifespan:
        """From when to when partitions exist."""
        return Lifespan(
            self.premake,
            self.retention_period,
            self.retention_action,
            self.retention_schema,
            self.retention_limit,
            self.retention_sql,
            self.retention_program,
            self.retention_program_limit,
            self.late_events,
        )
