"""What a settings model says of its options besides type, default and description."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

UNNAMED = "unnamed_section"
"""Field of a settings model that is filled in; see `filled_in`."""

_KEY = "no_effect"
_FILLED_IN = "filled_in"
_HIDES = "hides"


def no_effect(reason: str) -> dict[str, Any]:
    """Mark an option that is accepted and changes nothing, for a field's ``json_schema_extra``.

    Args:
        reason: why, as users are told.
    """
    return {_KEY: reason}


def filled_in() -> dict[str, Any]:
    """Mark a field that is no option: the host fills it in, and files cannot.

    The host knows `UNNAMED`: the header of the job's section if the file gives the job no name, else empty.
    """
    return {_FILLED_IN: True}


def secret_file() -> dict[str, Any]:
    """Mark an option that names a file which others must not read."""
    return {_HIDES: True}


def is_secret_file(field: FieldInfo) -> bool:
    """Whether an option names a file with secrets."""
    return isinstance(field.json_schema_extra, dict) and bool(field.json_schema_extra.get(_HIDES))


def is_filled_in(field: FieldInfo) -> bool:
    """Whether a field is no option."""
    return isinstance(field.json_schema_extra, dict) and bool(field.json_schema_extra.get(_FILLED_IN))


def no_effect_reason(field: FieldInfo) -> str:
    """Why an option changes nothing; empty if it has an effect."""
    extra = field.json_schema_extra
    return str(extra.get(_KEY, "")) if isinstance(extra, dict) else ""
