"""What the target keeps of a consumer: who works for it, its position, its counters and its dead letters."""

from .choice import Choice, remembered
from .consumerrow import ConsumerRow, namesake
from .deadletters import DeadLetter, DeadLetters
from .entries import Entries, for_owner, owner_is_idle
from .entry import Entry, Wait, read_entry, working
from .identity import Process, Source, end_session
from .ownership import NO_OWNERS, Ownership, other_source
from .position import Position, Storage, Tick, find_position
from .replay import Replay
from .schema import VERSION, SchemaFacts, open_schema, schema_facts, schema_sql, stranger

__all__ = [
    "NO_OWNERS",
    "VERSION",
    "Choice",
    "ConsumerRow",
    "DeadLetter",
    "DeadLetters",
    "Entries",
    "Entry",
    "Ownership",
    "Position",
    "Process",
    "Replay",
    "SchemaFacts",
    "Source",
    "Storage",
    "Tick",
    "Wait",
    "end_session",
    "find_position",
    "for_owner",
    "namesake",
    "open_schema",
    "other_source",
    "owner_is_idle",
    "read_entry",
    "remembered",
    "schema_facts",
    "schema_sql",
    "stranger",
    "working",
]
