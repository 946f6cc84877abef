"""What becomes of rows and columns of a table: which are loaded, and what changes do."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator
from tdsup.jobtype import secret_file

from ..partitions import Partitioning
from ..sieve import NO_MASKS, Condition, Masks
from .fieldmap import FieldMap
from .keyvalues import Constants, Fields, MaskMap, Name, Names, Operations, Where
from .partitionsettings import PartitionSettings


class RowSettings(PartitionSettings):
    """Which events of a table are loaded, which columns of them, and how."""

    # Before `fields`, which they are a part of.
    skip_fields: Names = Field((), description="Source columns that are not loaded, separated by commas.")
    constants: Constants = Field(
        (),
        description="Columns of the target that are the same in each row, such as region: eu, shop: 7; a "
        "value with a comma is put in single quotes.",
    )
    deleted_at: Name = Field(
        "",
        description="Column of the target that says when a row was deleted in the source, which stays then; "
        "it is NULL in others. Needs row_mode = plain. Empty: deleted rows are removed.",
    )
    fields: Fields = Field(
        FieldMap(),
        validate_default=True,
        description="Columns to load: a list such as a, b:new_name; * stands for all others. Beside them, "
        "_OP, _EVID, _EVTIME, _TXID, _TABLE and _USER tell the change, as in *, _OP:operation.",
        json_schema_extra={"shown_default": "*"},
    )
    where: Where = Field(
        None,
        description="Which rows to load, by their values in the source, such as status in (new, paid) and "
        "amount > 0; an update after which a row does not match removes it. Empty: all.",
        json_schema_extra={"shown_default": ""},
    )
    mask: MaskMap = Field(
        NO_MASKS,
        description="Columns whose values must not leave the source, such as email: hmac, name: null, phone: "
        "'unknown'. hmac is a digest with the key in mask_key_file; NULL stays NULL.",
        json_schema_extra={"shown_default": ""},
    )
    mask_key_file: str = Field(
        "",
        validate_default=True,
        description="File with the secret key of hmac, at least 16 bytes; a name without a slash is a "
        "credential of the systemd unit.",
        json_schema_extra=secret_file(),
    )
    row_mode: Literal["auto", "append", "plain", "keep_all", "keep_latest"] = Field(
        "auto",
        validate_default=True,
        description="append adds each insert, update and delete as a row and ignores truncates; plain "
        "changes the target's rows as the source's were changed; keep_all is append without deletes; "
        "keep_latest is plain within each partition, which keeps the last state that a row had there; auto "
        "is plain for a table with a unique index on the key that events name, else append.",
    )
    event_types: Operations | None = Field(
        None,
        description="Operations to load, of I (insert), U (update), D (delete) and R (truncate); others are "
        "ignored. Unless it is set, truncates are loaded only if a trigger on truncate feeds the queue.",
        json_schema_extra={"shown_default": "I, U, D"},
    )
    on_new_column: Literal["dead_letter", "add", "ignore"] = Field(
        "dead_letter",
        description="A column that the target lacks: dead_letter rejects its events, add adds it with its "
        "type in the source, ignore leaves it out.",
    )

    @property
    def keeps_latest(self) -> bool:
        """Whether a row has a state in each partition, and changes are about that in their own."""
        return self.row_mode == "keep_latest"

    @property
    def inserts_replace(self) -> bool:
        """Whether a row that comes may be there already, in a former state."""
        return self.keeps_latest or bool(self.deleted_at)

    @field_validator("fields")
    @classmethod
    def _beside(cls, fields: FieldMap, info: ValidationInfo) -> FieldMap:
        """All that is said of columns, in one place."""
        known = info.data
        fields = fields.beside(
            known.get("skip_fields", ()), known.get("constants", ()), known.get("deleted_at", "")
        )
        for name in known.get("part_by", ()):
            if _source_of(fields, name) is None:
                raise ValueError(f"must load column {name}, which part_by names")
        return fields

    @field_validator("where")
    @classmethod
    def _lets_none_go(cls, where: Condition | None, info: ValidationInfo) -> Condition | None:
        if where and info.data.get("deleted_at"):
            raise ValueError("must not be set with deleted_at: a row that no longer matches was not deleted")
        return where

    @field_validator("row_mode")
    @classmethod
    def _finds_rows_that_leave(cls, mode: str, info: ValidationInfo) -> str:
        if mode == "keep_latest" and info.data.get("where"):
            raise ValueError("must not be keep_latest with where: other partitions keep their rows")
        if mode == "keep_latest" and info.data.get("part_by"):
            raise ValueError("must not be keep_latest with part_by: rows are found in all list partitions")
        if mode != "plain" and info.data.get("deleted_at"):
            raise ValueError("must be plain with deleted_at, which is about rows that change")
        return mode

    @field_validator("mask")
    @classmethod
    def _masks_nothing_that_is_needed(cls, masks: Masks, info: ValidationInfo) -> Masks:
        if (part_field := info.data.get("part_field")) in masks.of:
            raise ValueError(
                f"must not mask {part_field}, which part_field names: its value names a partition"
            )
        where, lists = info.data.get("where"), info.data.get("part_by", ())
        for name in masks.of:
            if name in lists:
                raise ValueError(f"must not mask {name}, which part_by names: its value names a partition")
            if where and name.encode() in where.compared:
                raise ValueError(f"must not mask {name}, which where compares: it would see the mask")
            if where and masks.of[name] is None and name.encode() in where.columns:
                raise ValueError(f"must not mask {name} with null: where asks whether it is NULL")
        return masks

    @field_validator("mask_key_file")
    @classmethod
    def _has_a_key(cls, name: str, info: ValidationInfo) -> str:
        if not name and "mask" in info.data and info.data["mask"].needs_key:
            raise ValueError("must name a file with a secret key, which hmac in mask needs")
        return name

    @cached_property
    def partitioning(self) -> Partitioning:
        """How `dest_table` is partitioned, and by which of its columns."""
        how = super().partitioning
        names = self.fields.rename([how.column.encode()]) if how.column else ()
        lists = self.fields.all_targets(self.list_sources)
        return replace(how, target=names[0], lists=lists) if names else how

    @cached_property
    def list_sources(self) -> tuple[bytes, ...]:
        """Source names of the columns by whose lists of values `dest_table` is partitioned first."""
        found = (_source_of(self.fields, name) for name in self.part_by[:-1])
        return tuple(name for name in found if name is not None)


def _source_of(fields: FieldMap, name: str) -> bytes | None:
    """The source name of a column of that name that is loaded, or of a constant; None: it is neither."""
    if fields.loads(name.encode()):
        return name.encode()
    constants = (target for target, _ in fields.constants)
    return dict(zip(constants, fields.constant_names, strict=True)).get(name)
