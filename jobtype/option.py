"""What a settings model says of its options besides type, default and description."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic.fields import FieldInfo

UNNAMED = "unnamed_section"
"""Field of a settings model that is filled in; see `filled_in`."""

_KEY = "no_effect"
_FILLED_IN = "filled_in"
_HIDES = "hides"
_WORD = "word"
_STANDING = "standing"


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


def sections(word: str, standing: Sequence[str] = ()) -> dict[str, Any]:
    """Mark a field that holds further sections of a job's file; in a file of several jobs there are none.

    Its type is a dictionary of models. The host fills in what each section ``[word NAME]`` says itself, by
    its name; what a section leaves out, the model of the job adds.

    Args:
        word: the first word of their headers.
        standing: names to which values may refer as ``%(name)s``, and which the job type replaces itself.
    """
    return {_FILLED_IN: True, _WORD: word, _STANDING: tuple(standing)}


@dataclass(frozen=True, slots=True)
class Sections:
    """Further sections that a job's file may have; see `sections`.

    Attributes:
        field: of the job's settings model.
        word: the first word of their headers.
        model: of each one's keys.
        standing: names to which values may refer.
    """

    field: str
    word: str
    model: type[BaseModel]
    standing: tuple[str, ...]

    def name(self, header: str) -> str:
        """The name in a header; empty if that is no header of such a section."""
        word, _space, name = header.partition(" ")
        return name.strip() if word == self.word else ""


def sections_of_model(model: type[BaseModel]) -> Sections | None:
    """The further sections that a job of a settings model may have; None: it has none."""
    for name, field in model.model_fields.items():
        extra: Mapping[str, Any] = (
            field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        )
        if _WORD in extra:
            return Sections(name, extra[_WORD], get_args(field.annotation)[1], extra[_STANDING])
    return None


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
