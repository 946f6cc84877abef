"""The keys of a ``[table_dispatcher]`` section that tell the job what to do."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from pydantic import ByteSize, Field
from tdsup.jobtype import no_effect

from .keyvalues import DateStyleName, EncodingName, IntervalStyleName, SqlStates
from .severaltables import SeveralTables


class Settings(SeveralTables):
    """What a job reads, and where it writes."""

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
        description="While behind, take several ticks as one batch, up to about this many events; 0: never. "
        "With part_field = _BATCHTIME it is never done.",
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
    def most_merged(self) -> int:
        """Most events of several ticks that the job itself takes as one batch; 0: ticks stay apart."""
        return 0 if self.pgq_batch_collect_interval or self.counts_ticks else self.merge_events
