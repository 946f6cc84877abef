"""What a settings model says of its options besides type, default and description."""

from __future__ import annotations

from typing import Any

from pydantic.fields import FieldInfo

_KEY = "no_effect"


def no_effect(reason: str) -> dict[str, Any]:
    """Mark an option that is accepted and changes nothing, for a field's ``json_schema_extra``.

    Args:
        reason: why, as users are told.
    """
    return {_KEY: reason}


def no_effect_reason(field: FieldInfo) -> str:
    """Why an option changes nothing; empty if it has an effect."""
    extra = field.json_schema_extra
    return str(extra.get(_KEY, "")) if isinstance(extra, dict) else ""
