"""The keys of a ``[table_dispatcher]`` section that tell the job what to do."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from pydantic import ByteSize, Field
from tdsup.jobtype import no_effect

from .ends import Ends
from .fieldmap import FieldMap
from .keyvalues import (
    DateStyleName,
    Day,
    Duration,
    EncodingName,
    Fields,
    IntervalStyleName,
    Names,
    Operations,
    SqlStates,
    Table,
)
from .partitions import EPOCH, Method, Partitioning

EVENT_TIME = "_EVTIME"
"""Value of ``part_field`` that means the event's own time."""


class Settings(Ends):
    """What a job reads, and where it writes."""

    dest_table: Table = Field(
        examples=["orders"],
        description="Table to load; with part_field, its name is the first part of the partitions' names.",
    )
    part_field: str = Field(
        "",
        description="Source column whose date names the partition; _EVTIME: the event's time; "
        "empty: the table is not partitioned.",
    )
    part_column: str = Field(
        "",
        description="What the original's sample file calls part_field.",
        json_schema_extra=no_effect(
            "the original never read it, and dest_table is loaded whole unless part_field is given; "
            "part_field in its place would load a table for each day or month of that column"
        ),
    )
    part_method: Method = Field(
        "daily", description="Length of a partition: daily, weekly (ISO 8601), monthly, quarterly, yearly."
    )
    part_template: str = Field(
        "",
        description="SQL that creates a missing partition, with the words _DEST_TABLE, _SCHEMA_TABLE, "
        "_PARENT and _PKEY; empty: clone dest_table.",
    )
    part_past: Day = Field(
        EPOCH,
        description="Day from which on missing partitions are made, or from the oldest that there is; events "
        "of earlier days are dead letters, unless they have a partition.",
    )
    part_future: Duration = Field(
        "5 years",
        description="How far from today missing partitions are made, such as 90 days; events of later days "
        "are dead letters, unless they have a partition.",
    )
    part_limit: int = Field(
        100,
        ge=1,
        description="Most partitions that are made for one batch; the rest of its events are dead letters.",
    )
    fields: Fields = Field(
        FieldMap(None),
        description="Columns to load: * for all, or a list such as a, b:new_name.",
        json_schema_extra={"shown_default": "*"},
    )
    table_filter: Names = Field(
        (),
        description="Source tables to load, separated by commas, each with its partitions; empty: all that "
        "feed the queue.",
    )
    row_mode: Literal["auto", "append", "plain", "keep_all"] = Field(
        "auto",
        description="append adds each insert, update and delete as a row and ignores truncates; plain "
        "changes the target's rows as the source's were changed; keep_all is append without deletes; auto is "
        "plain for a table with a unique index on the key that events name, else append.",
    )
    event_types: Operations | None = Field(
        None,
        description="Operations to load, of I (insert), U (update), D (delete) and R (truncate); others are "
        "ignored. Unless it is set, truncates are loaded only if a trigger on truncate feeds the queue.",
        json_schema_extra={"shown_default": "I, U, D"},
    )
    on_new_column: Literal["dead_letter", "add", "ignore"] = Field(
        "dead_letter",
        description="A column that the target lacks: dead_letter rejects its events, add adds it with its "
        "type in the source, ignore leaves it out.",
    )
    date_style: DateStyleName = Field(
        "",
        description="DateStyle in which producers write dates, such as German or SQL, DMY; empty: as the "
        "source's database and roles say.",
    )
    interval_style: IntervalStyleName = Field(
        "",
        description="IntervalStyle in which producers write intervals, such as sql_standard; empty: as the "
        "source's database and roles say.",
    )
    encoding: EncodingName = Field(
        "",
        description="Encoding of the bytes in events, such as LATIN1, where the source database's own is "
        "SQL_ASCII or producers use another one; empty: the database's.",
    )
    encoding_errors: Literal["dead_letter", "replace"] = Field(
        "dead_letter",
        description="Bytes that are no characters, and characters that the target lacks: dead_letter rejects "
        "their events, replace loads them with replacement characters.",
    )
    bad_events: Literal["dead_letter", "stop"] = Field(
        "dead_letter",
        description="An event that cannot be loaded: dead_letter keeps it in tdsup.dead_letter of the "
        "target and loads the rest of its batch; stop blocks the job.",
    )
    bad_event_limit: int = Field(
        1000,
        ge=0,
        description="Most dead letters in one tick; with more, nothing of the batch is loaded and the job is "
        "blocked. A batch of several ticks may have as many times more.",
    )
    bad_event_share: Decimal = Field(
        Decimal(0),
        ge=0,
        le=1,
        description="Share of a batch's events that may be dead letters, such as 0.05, where that is more "
        "than bad_event_limit allows.",
    )
    bad_sqlstates: SqlStates = Field(
        frozenset(),
        description="SQLSTATEs by which triggers of the target refuse a row, such as P0001, or their "
        "classes, such as P0: the event is bad, as with those of classes 22, 23, 44 and 54.",
        json_schema_extra={"shown_default": ""},
    )
    buffer_size: ByteSize = Field(
        ByteSize(32 << 20),
        ge=1 << 20,
        description="Most memory for rows on their way, such as 32 MiB; a single row may be larger.",
        json_schema_extra={"shown_default": "32 MiB"},
    )
    merge_events: int = Field(
        200_000,
        ge=0,
        description="While behind, take several ticks as one batch, up to about this many events; 0: never.",
    )
    loop_delay: float = Field(
        1.0,
        allow_inf_nan=False,
        description="Seconds between looks at an empty queue, if no watcher tells of news; 0: end the job "
        "when the queue is empty; below 0: end it after one look.",
    )
    news_interval: float = Field(
        0.015,
        gt=0,
        allow_inf_nan=False,
        description="Seconds between looks of a watcher for news within 10 s of an event of the source; it "
        "looks less often later, and the smallest value of the source's jobs counts.",
    )
    idle_disconnect: float = Field(
        60.0,
        ge=0,
        description="Seconds without an event after which a job closes its connections, if watchers look for "
        "the next one; 0: never.",
    )
    connection_lifetime: float = Field(
        1200.0, ge=0, description="Seconds after which connections are replaced, between batches; 0: never."
    )
    keepalive_stats: float = Field(
        300.0, ge=0, description="Seconds between log lines that show that an idle job is alive."
    )
    pgq_batch_collect_events: int = Field(
        0, ge=0, description="Wait until a batch holds about this many events; 0: do not wait."
    )
    pgq_batch_collect_interval: str = Field(
        "", description="Wait until a batch covers this much time, such as 1 minute."
    )
    pgq_keep_lag: str = Field(
        "", description="Leave events alone until they are this old, such as 5 minutes."
    )

    start: Literal["", "registered", "beginning"] = Field(
        "",
        description="Where a consumer begins that has no position yet: registered, at the tick at which it "
        "is registered; beginning, at the oldest tick there is; empty: at the newest, unless somebody else "
        "has registered it. Meant for one start.",
    )
    takeover_after: float = Field(
        10.0,
        ge=0,
        description="Seconds that a process which works for the consumer, and has no connection at present, "
        "may be late before a standby takes over.",
    )

    exception_sleep: float = Field(
        20.0,
        description="Seconds to sleep after an error.",
        json_schema_extra=no_effect("a lost database is tried again at growing intervals from 0.25 s"),
    )
    exception_quiet: str = Field(
        "", description="Errors to keep quiet about.", json_schema_extra=no_effect("an error is logged once")
    )
    exception_grace: float = Field(
        300.0, description="Seconds to keep quiet.", json_schema_extra=no_effect("an error is logged once")
    )
    exception_reset: float = Field(
        900.0,
        description="Seconds after which quiet starts again.",
        json_schema_extra=no_effect("an error is logged once"),
    )
    pgq_autocommit: bool = Field(
        False,
        description="Run the source in autocommit mode.",
        json_schema_extra=no_effect("transactions on the source are always as short as possible"),
    )
    pgq_lazy_fetch: int = Field(
        300, description="Events per fetch.", json_schema_extra=no_effect("events are streamed")
    )

    @property
    def holds_back(self) -> bool:
        """Whether PgQ may give no batch although there are events."""
        return bool(self.pgq_keep_lag or self.pgq_batch_collect_events or self.pgq_batch_collect_interval)

    @property
    def partitioning(self) -> Partitioning:
        """How `dest_table` is partitioned."""
        return Partitioning(
            self.dest_table,
            self.part_field,
            self.part_method,
            self.part_template,
            self.part_past,
            self.part_future,
            self.part_limit,
        )

    @property
    def source_tables(self) -> tuple[str, ...]:
        """`table_filter` as ``ev_extra1`` names tables: bare names are in schema public."""
        return tuple(name if "." in name else f"public.{name}" for name in self.table_filter)
