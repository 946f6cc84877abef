"""A complete sample of a job's file, made from the settings that its job type declares."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from pydantic.fields import FieldInfo
from tdsup.jobtype import JobType, no_effect_reason, sections_of_model

from .jobsettings import JobSettings
from .options import shown_default, spellings

WIDTH = 100
"""Columns of a comment."""


def sample(section: str, job_type: JobType) -> str:
    """An ini file with every key: its meaning, and its default or an example.

    It can be loaded as it is: required keys have an example, all others are comments.
    """
    lines = [f"[{section}]"]
    without_effect: list[str] = []
    for model in (job_type.settings, JobSettings):
        for name, keys in spellings(model).items():
            field = model.model_fields[name]
            if model is not JobSettings and name in JobSettings.model_fields:
                continue  # Both models read it; the supervisor's description says more.
            reason = no_effect_reason(field)
            if reason:
                without_effect.append(f"# {keys[0]}: {reason}")
            else:
                lines += ["", *_comment(field.description or ""), _line(keys[0], field)]
    lines += _further(job_type)
    return "\n".join(
        [*lines, "", "# Keys of older files that are accepted, without effect:", *without_effect, ""]
    )


def _further(job_type: JobType) -> Iterator[str]:
    """What further sections the file may have."""
    if parts := sections_of_model(job_type.settings):
        field = job_type.settings.model_fields[parts.field]
        keys = [name for name, each in parts.model.model_fields.items() if not no_effect_reason(each)]
        yield ""
        yield from _comment(f"{field.description} Its keys: {', '.join(keys)}.")
        yield f"#[{parts.word} NAME]"


def _comment(text: str) -> Iterator[str]:
    return (f"# {line}" for line in textwrap.wrap(text, WIDTH - 2))


def _line(key: str, field: FieldInfo) -> str:
    if field.examples:
        return f"{key} = {field.examples[0]}"
    return f"#{key} = {shown_default(field).replace('%', '%%')}".rstrip()
