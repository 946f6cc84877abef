"""SQL as text, made without a connection."""

from __future__ import annotations

import itertools


def literal(text: str) -> str:
    """A text as SQL, whatever ``standard_conforming_strings`` is."""
    quoted = "'" + text.replace("'", "''") + "'"
    return "E" + quoted.replace("\\", "\\\\") if "\\" in text else quoted


def each(query: str) -> str:
    """A statement that runs all statements that a query yields, whose only column they are."""
    indented = "\n".join(f"        {line}".rstrip() for line in query.strip().splitlines())
    body = (
        "\ndeclare\n    statement text;\nbegin\n    for statement in\n"
        f"{indented}\n    loop\n        execute statement;\n    end loop;\nend\n"
    )
    # Names of the job's file are in there, and must not end the text.
    quote = next(quote for number in itertools.count() if (quote := f"$do{number}$") not in body)
    return f"do {quote}{body}{quote};"


def on_database(rights: str, role: str) -> str:
    """A statement that grants rights on the database in which it is run, whatever a pooler calls it."""
    return each(f"select format('grant {rights} on database %I to %I', current_database(), {literal(role)})")
