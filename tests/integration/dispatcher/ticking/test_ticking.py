"""What a ticker does for each kind of PgQ: ticks, rotations, events to be tried again."""

from __future__ import annotations

from harness.servers.database import Database
from harness.servers.tickers import RunningTicker
from harness.waiting import wait_until


def ticks(source: Database, schema: str) -> int:
    """How many ticks the queue has."""
    count: int = source.value(f"select count(*) from {schema}.tick")
    return count


def configure(source: Database, schema: str, **settings: str) -> None:
    """Set what decides when the queue is ticked or rotated."""
    for name, value in settings.items():
        source.execute(f"select {schema}.set_queue_config('q', %s, %s)", name, value)


def next_events(source: Database, schema: str) -> list[tuple[object, ...]]:
    """Data and number of tries of the events of the consumer's next batch that has any; finishes it."""

    def batch() -> list[tuple[object, ...]]:
        number = source.value(f"select {schema}.next_batch('q', 'c')")
        if number is None:
            return []
        found = source.rows(f"select ev_data, ev_retry from {schema}.get_batch_events(%s)", number)
        source.execute(f"select {schema}.finish_batch(%s)", number)
        return found

    return wait_until(batch, "a batch has events")


def test_an_event_can_be_read(source: Database, schema: str) -> None:
    """Soon after it was written, and though nobody else ticks; each tick is counted."""
    configure(source, schema, ticker_max_count="1", ticker_max_lag="200 ms")
    source.execute(f"select {schema}.register_consumer('q', 'c')")
    with RunningTicker(source, pgq_schema=schema) as ticker:
        ticker.wait_for("running")
        source.execute(f"select {schema}.insert_event('q', 't', 'first')")
        source.execute(f"select {schema}.insert_event('q', 't', 'second')")
        events = next_events(source, schema)
        while len(events) < 2:
            events += next_events(source, schema)
        assert events == [("first", None), ("second", None)]
        ticker.wait_until_value("ticks", 1)


def test_an_idle_queue_is_ticked_at_its_own_pace(source: Database, schema: str) -> None:
    """Without any event, once in ticker_idle_period; and never if that is long."""
    configure(source, schema, ticker_max_lag="0", ticker_idle_period="0")
    with RunningTicker(source, pgq_schema=schema):
        wait_until(lambda: ticks(source, schema) >= 5, "the idle queue has ticks")
        configure(source, schema, ticker_max_lag="1 hour", ticker_idle_period="1 day")
    with RunningTicker(source, pgq_schema=schema) as ticker:
        ticker.wait_for("running")
        before = ticks(source, schema)
        reports = len(ticker.context.reports)
        wait_until(lambda: len(ticker.context.reports) > reports + 5, "it asks again and again")
        assert ticks(source, schema) == before
        assert ticker.value("ticks") == 0


def test_event_tables_are_rotated_in_two_transactions(source: Database, schema: str) -> None:
    """Each table has its turn, more than once round; the second step has another transaction."""
    configure(source, schema, rotation_period="0")
    state = (
        f"select queue_cur_table, queue_switch_step1::text, queue_switch_step2::text from {schema}.queue "
        "where queue_switch_step2 is not null"
    )
    with RunningTicker(source, pgq_schema=schema) as ticker:
        seen: set[int] = set()

        def has_seen_all() -> bool:
            seen.update(row[0] for row in source.rows(state))
            return seen == {0, 1, 2}

        wait_until(has_seen_all, "each of three tables has been the current one")
        ticker.wait_until_value("rotations", 4)
    source.execute(f"select {schema}.maint_rotate_tables_step2()")
    ((_number, first, second),) = source.rows(state)
    assert first != second


def test_events_are_tried_again_when_they_are_due(source: Database, schema: str) -> None:
    """All in one round, though PgQ moves a few at once; each is there again, as its second try."""
    configure(source, schema, ticker_max_count="1", ticker_max_lag="200 ms")
    source.execute(f"select {schema}.register_consumer('q', 'c')")
    source.execute(f"select {schema}.insert_event('q', 't', g::text) from generate_series(1, 25) g")
    source.execute(f"select {schema}.force_tick('q'); select {schema}.ticker('q')")
    batch = source.value(f"select {schema}.next_batch('q', 'c')")
    source.execute(
        f"select {schema}.event_retry(%s, ev_id, 0) from {schema}.get_batch_events(%s)", batch, batch
    )
    source.execute(f"select {schema}.finish_batch(%s)", batch)
    with RunningTicker(source, pgq_schema=schema, retry_period=3600) as ticker:
        events: list[tuple[object, ...]] = []
        while len(events) < 25:
            events += next_events(source, schema)
        assert sorted(events) == sorted((str(number), 1) for number in range(1, 26))
        ticker.wait_until_value("retried_events", 25)
