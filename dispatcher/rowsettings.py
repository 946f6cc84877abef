"""What becomes of rows and columns of a table: which are loaded, and what changes do."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field, ValidationInfo, field_validator

from .fieldmap import FieldMap
from .keyvalues import Constants, Fields, Names, Operations


class RowSettings(BaseModel):
    """Which events of a table are loaded, which columns of them, and how."""

    # Before `fields`, which they are a part of.
    skip_fields: Names = Field((), description="Source columns that are not loaded, separated by commas.")
    constants: Constants = Field(
        (),
        description="Columns of the target that are the same in each row, such as region: eu, shop: 7; a "
        "value with a comma is put in single quotes.",
    )
    fields: Fields = Field(
        FieldMap(),
        validate_default=True,
        description="Columns to load: a list such as a, b:new_name; * stands for all others. Beside them, "
        "_OP, _EVID, _EVTIME, _TXID, _TABLE and _USER tell the change, as in *, _OP:operation.",
        json_schema_extra={"shown_default": "*"},
    )
    row_mode: Literal["auto", "append", "plain", "keep_all"] = Field(
        "auto",
        description="append adds each insert, update and delete as a row and ignores truncates; plain "
        "changes the target's rows as the source's were changed; keep_all is append without deletes; auto is "
        "plain for a table with a unique index on the key that events name, else append.",
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

    @field_validator("fields")
    @classmethod
    def _beside(cls, fields: FieldMap, info: ValidationInfo) -> FieldMap:
        """All that is said of columns, in one place."""
        return fields.beside(info.data.get("skip_fields", ()), info.data.get("constants", ()))
