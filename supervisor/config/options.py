"""Reading the keys that a pydantic model declares: their spellings, near misses, faults in words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from types import MappingProxyType
from typing import Any, TypeVar

from pydantic import AliasChoices, BaseModel, ValidationError
from pydantic.fields import FieldInfo
from tdsup.jobtype import Sections, is_filled_in, no_effect_reason, sections_of_model

from ..redact import is_secret, redact
from .reasons import EMPTY, reason_for, what_it_is

NOTHING: Mapping[str, str] = MappingProxyType({})

OF_OLD_FILES = {
    r"sql_retry_\w+": "a database that is lost is tried again for ever",
    r"(\w+_)?connstr": "what it says belongs into src_db and dst_db",
    r"db_encoding": "the databases are asked for their encodings",
    r"owner": "table_dispatcher never read it",
}
"""Keys in files of the original that nothing reads, as regular expressions, and why they have no effect."""

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with one key; the key is empty if it is wrong with the whole.

    Attributes:
        key: of the job, or of one of its further sections.
        reason: what is wrong.
        part: header of that section; empty: it is the job's own.
    """

    key: str
    reason: str
    part: str = ""


@cache
def spellings(model: type[BaseModel]) -> Mapping[str, tuple[str, ...]]:
    """The keys that each field of a model can be written as, first choice first.

    pydantic reads the first choice; the field's own name is always among them.
    """
    found = {}
    for name, field in model.model_fields.items():
        if is_filled_in(field):
            continue
        alias = field.validation_alias
        choices = alias.choices if isinstance(alias, AliasChoices) else [alias]
        names = [choice for choice in choices if isinstance(choice, str)]
        found[name] = tuple(dict.fromkeys([*names, name]))
    return found


@cache
def known_keys(model: type[BaseModel]) -> frozenset[str]:
    """Every key that the model accepts."""
    return frozenset(key for keys in spellings(model).values() for key in keys)


def keys_without_effect(settings: BaseModel) -> dict[str, str]:
    """Fields without effect that are not at their default, each with the reason why they have none."""
    found = {}
    for name, field in type(settings).model_fields.items():
        reason = no_effect_reason(field)
        if reason and getattr(settings, name) != field.default:
            found[name] = reason
    return found


def shown_default(field: FieldInfo) -> str:
    """The default of a field as people write it; empty if there is none."""
    extra = field.json_schema_extra
    if isinstance(extra, dict) and "shown_default" in extra:
        return str(extra["shown_default"])
    value = field.get_default(call_default_factory=True)
    if field.is_required() or value is None or value == ():
        return ""
    if isinstance(value, bool):
        return str(int(value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def why_ignored(key: str) -> str:
    """Why a key of the original's files that no model declares has no effect; empty for any other key."""
    return next((reason for pattern, reason in OF_OLD_FILES.items() if re.fullmatch(pattern, key)), "")


def unknown_key(key: str, known: Iterable[str], part: str = "") -> Fault:
    """The fault of a key that no model declares, with the nearest known key."""
    near = get_close_matches(key, sorted(known), n=1, cutoff=0.7)
    return Fault(key, "unknown key" + (f", did you mean {near[0]}?" if near else ""), part)


def read(
    model: type[Model], given: Mapping[str, Any], filled_in: Mapping[str, Any] = NOTHING
) -> Model | list[Fault]:
    """Validate those of the given keys that the model declares.

    Args:
        model: the model.
        given: values by key.
        filled_in: values of fields that are no keys; those that the model lacks are left out.

    Returns:
        An instance, or all faults; values of secret keys do not occur in them.
    """
    data: dict[str, Any] = {key: filled_in[key] for key in filled_in if key in model.model_fields}
    spelled: dict[str, str] = {}
    for keys in spellings(model).values():
        present = [key for key in keys if key in given]
        spelled.update(dict.fromkeys(keys, present[0] if present else keys[0]))
        if present:
            data[keys[0]] = given[present[0]]
    try:
        return model.model_validate(data)
    except ValidationError as error:
        parts = sections_of_model(model)
        return [_fault(dict(item), spelled, parts) for item in error.errors(include_url=False)]


def _fault(item: dict[str, Any], spelled: Mapping[str, str], parts: Sections | None) -> Fault:
    """One of pydantic's errors as a fault of the key that was written, perhaps in a further section."""
    path = [str(part) for part in item["loc"]]
    part = ""
    if parts and path[:1] == [parts.field] and len(path) > 1:
        part, path = f"{parts.word} {path[1]}", path[2:]
    key = spelled.get(path[0], path[0]) if path else ""
    key = ".".join([key, *path[1:]])
    reason = reason_for(item["type"], item.get("ctx", {}))
    if path and item["type"] != "missing" and reason != EMPTY and not is_secret(key):
        reason += what_it_is(item["input"])
    return Fault(key, redact(reason), part)
