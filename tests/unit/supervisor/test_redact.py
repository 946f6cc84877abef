"""Passwords do not show."""

from __future__ import annotations

import pytest
from tdsup.supervisor.redact import redact


@pytest.mark.parametrize(
    "text",
    [
        "dbname=x password=hunter2 host=y",
        "dbname=x password = 'hunter2 \\' and more' host=y",
        "dbname=x PASSWORD=hunter2",
        "dbname=x PassWord=a'hunter2",
        'password=a"hunter2 dbname=x',
        "password=a\\ hunter2 dbname=x",
        "password='hunter2",
        "cannot connect to postgresql://joe:hunter2@db:5432/x",
    ],
)
def test_a_password_is_hidden(text: str) -> None:
    """In every spelling of a connection string; the rest stays readable."""
    assert "hunter2" not in redact(text)
    assert "********" in redact(text)
    assert ("host=y" in text) == ("host=y" in redact(text))


def test_other_text_is_untouched() -> None:
    """What holds no password comes back as it is."""
    assert redact("see https://example.org/a@b and count=3") == "see https://example.org/a@b and count=3"
