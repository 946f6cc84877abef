"""Where a consumer begins: its first position, and its registration on the queue.

The position comes first, whole and committed; then the consumer is registered at that very tick, under the
lock of its row. So nobody can come in between, and a crash leaves a position to go on from.
"""

from __future__ import annotations

from logging import Logger

from psycopg2.extensions import cursor as Cursor

from ..errors import LostPosition, SetupError
from ..ledger import Ownership, Position, Tick
from ..pgq import Registry, Whereabouts, may_register, takes_over, unregistered
from ..postgres import Connection
from ..settings import Settings


class Registration:
    """Sees to it that target and source agree on a consumer before its first batch.

    Args:
        registry: of the consumer on the source.
        target: connection to the target.
        position: the consumer's.
        ownership: this process's, taken.
        settings: the job's.
        logger: is told what was done.
    """

    def __init__(
        self,
        registry: Registry,
        target: Connection,
        position: Position,
        ownership: Ownership,
        settings: Settings,
        logger: Logger,
    ) -> None:
        self._registry = registry
        self._target = target
        self._position = position
        self._ownership = ownership
        self._settings = settings
        self._logger = logger

    def settle(self) -> None:
        """Make sure that there is a position and that the consumer is registered.

        Raises:
            SetupError: a person has to choose where the consumer begins, or there is no such queue.
            Displaced: this process is no longer the owner.
        """
        if self._begin():
            self._register()

    def _begin(self) -> bool:
        """Write the first position if there is none; else see to the registration at once.

        Returns:
            Whether there was no position.
        """
        with self._target, self._target.cursor() as cursor:
            if (tick := self._standing(cursor)) is not None:
                self._register_at(cursor, tick, is_new=False)
                return False
            where = self._registry.whereabouts()
            if where.last is None and not self._settings.start and self._registry.former_is_registered():
                named = f"consumer {self._settings.consumer_name} of queue {self._settings.queue}"
                raise SetupError(f"cannot run {named}: {takes_over(self._settings)}")
            first = first_tick(where, self._settings)
            self._position.set(cursor, first)
        self._logger.info("%s: the position begins at tick %d", self._settings.job_name, first.number)
        return True

    def _register(self) -> None:
        """Register the consumer at the position that was just written."""
        with self._target, self._target.cursor() as cursor:
            tick = self._standing(cursor)
            if tick is None:
                job = self._settings.job_name
                raise LostPosition(f"cannot run {job}: its position is gone from the target")
            self._register_at(cursor, tick, is_new=True)

    def _standing(self, cursor: Cursor) -> Tick | None:
        """The position, locked until the transaction ends."""
        standing = self._position.begin(cursor)
        self._ownership.check(standing)
        return standing.tick

    def _register_at(self, cursor: Cursor, tick: Tick, *, is_new: bool) -> None:
        """Register the consumer at its position if it is not registered."""
        settings = self._settings
        where = self._registry.whereabouts(tick.number)
        is_moved = is_new and settings.start == "beginning"
        if where.last is not None and not is_moved:
            self._complete(cursor, tick, where)
            return
        if not may_register(tick, where, is_new):
            raise LostPosition(f"cannot run {settings.job_name}: {unregistered(tick, where, settings)}")
        (self._registry.register_at if is_moved else self._registry.register)(tick.number)
        self._logger.info(
            "%s: registered consumer %s on queue %s at tick %d",
            settings.job_name,
            settings.consumer_name,
            settings.queue,
            tick.number,
        )

    def _complete(self, cursor: Cursor, tick: Tick, where: Whereabouts) -> None:
        """Give a position its time if it has none, as after an original, and the source stands at it."""
        last = where.last
        if tick.time is None and last is not None and last.time is not None and tick.number == last.number:
            self._position.set(cursor, last)


def first_tick(where: Whereabouts, settings: Settings) -> Tick:
    """The tick at which a consumer without a position begins.

    Raises:
        SetupError: the queue has no tick, or a person has to choose.
    """
    named = f"consumer {settings.consumer_name} of queue {settings.queue}"
    if where.newest is None or where.oldest is None:
        raise SetupError(f"cannot run {named}: the queue has no tick yet; does its ticker run?")
    if settings.start == "beginning":
        return where.oldest
    if where.last is None:
        return where.newest
    if settings.start == "registered":
        return where.last
    raise SetupError(
        f"cannot run {named}: it is registered on the source, at tick {where.last.number}, and the target "
        "has no position of it; choose where it begins: table_dispatcher --register FILE or start = "
        "registered in its file goes on from there, start = beginning loads all that the queue still has, "
        f"from tick {where.oldest.number} on; if the target was restored to before the job's first batch, "
        "start = beginning loads again what is missing, as far as the queue still has it"
    )
