"""Why a value is refused, in our own words: what it must be, and what it is.

pydantic's texts are for programmers; its types of errors are a stable interface. See
https://docs.pydantic.dev/latest/errors/validation_errors/ for their list.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SHOWN = 80
"""Characters of a refused value that are repeated."""

SENTENCES = {
    "missing": "required key is missing",
    "extra_forbidden": "unknown key",
    # What a validator of ours, or of another package's job type, says itself.
    "value_error": "{error}",
    "assertion_error": "{error}",
    **dict.fromkeys(("bool_type", "bool_parsing"), "must be 1 or 0, or true or false"),
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "must be a whole number"),
    "int_parsing_size": "must be a whole number of fewer digits",
    **dict.fromkeys(("float_type", "float_parsing", "decimal_type", "decimal_parsing"), "must be a number"),
    "finite_number": "must be a finite number",
    "multiple_of": "must be a multiple of {multiple_of}",
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    **dict.fromkeys(("byte_size", "byte_size_unit"), "must be a size in bytes, such as 32 MiB"),
    **dict.fromkeys(("literal_error", "enum"), "must be {expected}"),
    **dict.fromkeys(("string_type", "string_sub_type", "string_unicode"), "must be text"),
    "string_pattern_mismatch": "must match the regular expression {pattern}",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "too_short": "must have at least {min_length} entries",
    "too_long": "must have at most {max_length} entries",
    **dict.fromkeys(("list_type", "tuple_type", "set_type", "frozen_set_type"), "must be a list"),
    **dict.fromkeys(("dict_type", "mapping_type", "model_type"), "must be keys with values"),
    **dict.fromkeys(("date_type", "date_parsing", "date_from_datetime_parsing"), "must be a date"),
    **dict.fromkeys(("datetime_type", "datetime_parsing"), "must be a date and time"),
    **dict.fromkeys(("time_type", "time_parsing"), "must be a time of day"),
    **dict.fromkeys(("time_delta_type", "time_delta_parsing"), "must be a duration"),
    **dict.fromkeys(("url_type", "url_parsing", "url_scheme"), "must be a URL"),
    "none_required": "must be empty",
}
"""By pydantic's type of error. Words in braces come from the error's context."""

OTHERWISE = "is not valid"
"""For a type of error that only models of other packages can raise."""

EMPTY = "must not be empty"
"""Where at least one character or entry is asked for; it says already what is there."""


def reason_for(kind: str, context: Mapping[str, Any]) -> str:
    """What a value must be.

    Args:
        kind: pydantic's type of the error.
        context: its values, such as the bound that was missed.
    """
    if context.get("min_length") == 1 and kind in {"string_too_short", "too_short"}:
        return EMPTY
    if isinstance(context.get("error"), UnicodeError):
        return "must be text that UTF-8 can encode"
    # The names of choices come in quotes, which ini files do not have.
    words = {name: _shown(value).replace("'", "") for name, value in context.items() if name != "error"}
    text = SENTENCES.get(kind, OTHERWISE).format_map(words | {"error": str(context.get("error", OTHERWISE))})
    return text[:1].lower() + text[1:]


def what_it_is(value: object) -> str:
    """A refused value as people see it, in parentheses with a space before; empty if words cannot show it."""
    if isinstance(value, str | int | float):
        text = str(value) if len(str(value)) <= SHOWN else str(value)[:SHOWN] + "…"
        return f" (it is {text!r})"
    names = {type(None): "empty", list: "a list", dict: "keys with values"}
    return f" (it is {names[type(value)]})" if type(value) in names else ""


def _shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
