"""Refusals are in our own words, never in those of the library that checks the values."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from pydantic import BaseModel, ValidationError
from pydantic_core import core_schema
from tdsup.dispatcher.settings import Settings
from tdsup.supervisor.config.fleetsettings import FleetSettings
from tdsup.supervisor.config.jobsettings import JobSettings
from tdsup.supervisor.config.options import Fault, read, spellings
from tdsup.supervisor.config.reasons import OTHERWISE, SENTENCES, reason_for

HIDDEN = "hunter2"

TEXTS = (
    *("", " ", "x", "a/b", "a,,b", "a:b, c:b", "a.b.c", "-1", "-1e9", "1e9", "2.5", "nan", "inf", "9" * 5000),
    *(
        "1 parsec",
        "~nobody-of-that-name/x",
        "nowhere/x",
        "%(nope)s",
        "%q",
        "%(asctime)",
        "tdsup",
        "é\n",
        "\ud800",
    ),
    f"password={HIDDEN} and more =",
    f"postgresql://user:{HIDDEN}@host:port/",
)
"""Values as an ini file has them, each bad for some keys."""

VALUES: tuple[object, ...] = (
    *TEXTS,
    None,
    True,
    -1,
    1 << 80,
    2.5,
    float("nan"),
    [],
    [1],
    [None],
    [[]],
    {},
    {"a": None},
    {1: []},
    object(),
)
"""Values as YAML has them, and worse."""

GRAMMAR = re.compile(r"must (not )?(be|have|match|name) .+|required key is missing")

MODELS: dict[type[BaseModel], tuple[Any, ...]] = {Settings: TEXTS, JobSettings: TEXTS, FleetSettings: VALUES}


def library_texts(model: type[BaseModel], key: str, value: object) -> Iterator[str]:
    """What pydantic itself says of the value, without what our own validators say."""
    try:
        model.model_validate({key: value})
    except ValidationError as error:
        for item in error.errors():
            if item["type"] != "value_error":
                yield item["msg"]


def refused(model: type[BaseModel]) -> Iterator[tuple[str, object, list[Fault]]]:
    """Every key of a model with every value that is bad for it, and the faults of that key."""
    for keys in spellings(model).values():
        for value in MODELS[model]:
            for key in keys:
                found = read(model, {key: value})
                faults = found if isinstance(found, list) else []
                ours = [fault for fault in faults if fault.key.partition(".")[0] == key]
                if ours:
                    yield key, value, ours


@pytest.mark.parametrize("model", MODELS)
def test_every_refusal_of_every_key_is_in_our_words(model: type[BaseModel]) -> None:
    """It says in one short line what the value must be, and quotes nothing from pydantic."""
    count = 0
    for key, value, faults in refused(model):
        texts = [text.lower() for text in library_texts(model, key, value)]
        for fault in faults:
            count += 1
            assert GRAMMAR.fullmatch(fault.reason), (key, value, fault)
            assert "input should" not in fault.reason.lower()
            assert not [text for text in texts if text in fault.reason.lower()]
            assert "\n" not in fault.reason
            assert len(fault.reason) < 250
    assert count > len(model.model_fields)


@pytest.mark.parametrize("model", MODELS)
def test_no_refusal_shows_a_secret(model: type[BaseModel]) -> None:
    """Neither the value of a secret key nor a password in the value of another."""
    secret = {
        fault.key for _key, _value, faults in refused(model) for fault in faults if HIDDEN in fault.reason
    }
    assert not secret
    for key, _value, faults in refused(model):
        if key.endswith("_db"):
            assert not [fault for fault in faults if "(it is" in fault.reason]


def test_every_type_of_error_has_words() -> None:
    """Even one that only models of other packages raise, if vague ones."""
    context = {
        "error": "must be odd",
        "min_length": 2,
        "max_length": 3,
        "gt": 1.0,
        "ge": 1,
        "lt": 2.5,
        "le": 2,
    }
    context |= {"multiple_of": 2, "pattern": "a+", "expected": "'a' or 'b'"}
    for kind in (*get_args(core_schema.ErrorType), "byte_size", "byte_size_unit"):
        reason = reason_for(kind, context)
        assert reason == OTHERWISE or kind in SENTENCES
        assert not re.search(r"[{}']|input should", reason)
    assert reason_for("greater_than", context) == "must be greater than 1"
    assert reason_for("literal_error", context) == "must be a or b"
    assert reason_for("value_error", context) == "must be odd"


EXAMPLES: tuple[tuple[type[BaseModel], str, object, str], ...] = (
    (JobSettings, "disabled", "maybe", "must be 1 or 0, or true or false (it is 'maybe')"),
    (
        JobSettings,
        "logfmt_file",
        "plain",
        "must be a format of a log line, with at least one %(…) such as %(message)s (it is 'plain')",
    ),
    (JobSettings, "log_size", "-1", "must be a size in bytes, such as 32 MiB (it is '-1')"),
    (JobSettings, "log_size", "10 MX", "must be a size in bytes, such as 32 MiB (it is '10 MX')"),
    (JobSettings, "log_count", "1.5", "must be a whole number (it is '1.5')"),
    (JobSettings, "job_name", "", "must not be empty"),
    (JobSettings, "config_format", "3", "must be 1 or 2 (it is '3')"),
    (Settings, "loop_delay", "nan", "must be a finite number (it is 'nan')"),
    (Settings, "buffer_size", "9 parsec", "must be a size in bytes, such as 32 MiB (it is '9 parsec')"),
    (Settings, "buffer_size", "1", "must be at least 1048576 (it is '1')"),
    (Settings, "pgq_schema", "A", "must match the regular expression ^[a-z_][a-z0-9_]*$ (it is 'A')"),
    (
        Settings,
        "part_method",
        "fortnightly",
        "must be hourly, daily, weekly, monthly, quarterly or yearly (it is 'fortnightly')",
    ),
    (
        Settings,
        "fields",
        "a,,b",
        "must be a list of column or column:new_name, separated by commas (it is 'a,,b')",
    ),
    (
        Settings,
        "src_db",
        "x",
        'must be a libpq connection string: missing "=" after "…" in connection info string',
    ),
    (
        Settings,
        "src_db",
        "hots=a",
        'must be a libpq connection string: invalid connection option "hots" (did you mean host?)',
    ),
    (
        Settings,
        "src_db",
        "password=two words",
        'must be a libpq connection string: missing "=" after "…" in connection info string',
    ),
    (FleetSettings, "jobs", [1], "must be text (it is '1')"),
    (FleetSettings, "defaults", 1, "must be keys with values (it is '1')"),
    (FleetSettings, "web", None, "must be text (it is empty)"),
)


@pytest.mark.parametrize(("model", "key", "value", "reason"), EXAMPLES)
def test_what_people_read(model: type[BaseModel], key: str, value: object, reason: str) -> None:
    """What is allowed, and what is there."""
    found = read(model, {key: value})
    assert isinstance(found, list)
    assert [fault.reason for fault in found if fault.key.partition(".")[0] == key] == [reason]
