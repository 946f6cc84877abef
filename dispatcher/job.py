"""The job type ``table_dispatcher``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from tdsup.jobtype import Action, Context, Metric, Order, WatchContext

from .actions import ACTIONS
from .events import IS_COMPILED
from .metrics import METRICS
from .postgres import canonical_dsn, database_name, quote
from .running import Run
from .settings import Settings
from .watching import SourceWatch, TargetWatch, Watcher


@dataclass(frozen=True, slots=True)
class TableDispatcher:
    """The job type itself; there is one, and it has no state."""

    settings: type[Settings] = Settings
    metrics: tuple[Metric, ...] = METRICS
    actions: tuple[Action, ...] = ACTIONS
    orders: tuple[Order, ...] = tuple(Order)
    about: str = f"decoder {'compiled' if IS_COMPILED else 'in Python, as there was no compiler: slower'}"

    def labels(self, settings: Settings) -> Mapping[str, str]:
        """Queue and table; a job does not change them."""
        return {"queue": settings.queue, "table": settings.shown_table}

    def claims(self, settings: Settings) -> Mapping[str, str]:
        """The consumer on its queue, and its position in the target."""
        consumer = f"consumer {settings.consumer_name} of queue {settings.queue}"
        return {
            "pgq_consumer_id": f"{consumer} in database {database_name(settings.src_db)}",
            "dst_db": f"the position of {consumer} in database {database_name(settings.dst_db)}",
        }

    def shares(self, settings: Settings) -> Mapping[str, str]:
        """The ways from queue to tables, and the consumer's name, by which alone pgq_ext keeps positions."""
        source, target = database_name(settings.src_db), database_name(settings.dst_db)
        queue = f"queue {settings.queue} in database {source}"
        ways = {
            where: f"the way from {queue} to table {table} in database {target}"
            for where, table in settings.loads.items()
        }
        return {
            **ways,
            "pgq_consumer_id": f"the consumer name {settings.consumer_name} in database {target}, "
            "which pgq_ext would not tell apart by queue,",
        }

    def sources(self, settings: Settings) -> Sequence[str]:
        """The source database, in one spelling of its connection string."""
        return (canonical_dsn(settings.src_db),)

    def targets(self, settings: Settings) -> Sequence[str]:
        """The target database, in one spelling of its connection string."""
        return (canonical_dsn(settings.dst_db),)

    def reads(self, settings: Settings) -> Sequence[tuple[str, str]]:
        """Its queue, by its consumer."""
        return ((settings.queue, settings.consumer_name),)

    def watched(self, settings: Settings) -> Mapping[str, str]:
        """Both databases, and how to get in; a job that drains its queue and ends looks for itself."""
        if settings.loop_delay <= 0:
            return {}
        source = (*self.sources(settings), settings.src_db_file, settings.pgq_schema)
        target = (*self.targets(settings), settings.dst_db_file)
        return {"source": "\n".join(source), "target": "\n".join(target)}

    def watch(self, what: str, jobs: Mapping[str, Settings], context: WatchContext) -> None:
        """Look at the source of some jobs, or at their target, until asked to stop."""
        settings = next(iter(jobs.values()))
        if what == "source":
            Watcher(settings.source, partial(SourceWatch, jobs, context), context).run()
        else:
            Watcher(settings.target, partial(TargetWatch, jobs, context), context).run()

    def leaving(self, settings: Settings) -> str:
        """The consumer: while it is registered, the queue keeps every event for it."""
        names = ", ".join(map(_literal, (settings.queue, settings.consumer_name)))
        consumer = self.claims(settings)["pgq_consumer_id"]
        return (
            f"{consumer}: nobody reads it any more, and the queue keeps its events; "
            f"run there: select {quote(settings.pgq_schema)}.unregister_consumer({names})"
        )

    def run(self, settings: Settings, context: Context) -> None:
        """Load batches until asked to stop or, with loop_delay 0 or below, until the queue is empty.

        Raises:
            SetupError: a person must do something first; its exit_code is 78.
        """
        Run(settings, context).run()


TABLE_DISPATCHER = TableDispatcher()


def _literal(text: str) -> str:
    """A string as SQL has it, whatever the server takes a backslash for."""
    quoted = "'" + text.replace("'", "''") + "'"
    return quoted if "\\" not in text else "E" + quoted.replace("\\", "\\\\")
