-- Positions and owners: what the target remembers of a consumer besides dead letters.

-- name: has_own_position
-- Whether our own table knows the consumer.
select exists (
    select from tdsup.completed_tick where queue_name = %(queue)s and consumer_name = %(consumer)s);

-- name: read_own
-- The last tick that was applied and its time in seconds since 1970, or NULLs.
select last_tick_id, last_tick_time from (select) one
left join tdsup.completed_tick on queue_name = %(queue)s and consumer_name = %(consumer)s;

-- name: read_untimed
-- The same where our own table has no column for times.
select last_tick_id, null::float8 from (select) one
left join tdsup.completed_tick on queue_name = %(queue)s and consumer_name = %(consumer)s;

-- name: read_pgq_ext_alone
-- The same from pgq_ext, which keeps no times.
select pgq_ext.get_last_tick(%(consumer)s), null::float8;

-- name: read_pgq_ext
-- The same; our time counts only if it belongs to that very tick, for another program may have gone on from it.
select tick, (
    select last_tick_time from tdsup.consumer
    where queue_name = %(queue)s and consumer_name = %(consumer)s and last_tick_id = tick)
from pgq_ext.get_last_tick(%(consumer)s) tick;

-- name: hold_entry
-- Lock the consumer's row until the transaction ends.
select from tdsup.consumer where queue_name = %(queue)s and consumer_name = %(consumer)s for update;

-- name: hold_position
-- Lock the position's row until the transaction ends.
select from tdsup.completed_tick where queue_name = %(queue)s and consumer_name = %(consumer)s for update;

-- name: hold_pgq_ext
-- Write the tick in pgq_ext again. At REPEATABLE READ that fails (40001, 23505) if somebody has changed it since the
-- transaction began, and keeps others from changing it until the transaction ends.
select pgq_ext.set_last_tick(%(consumer)s, tick)
from pgq_ext.get_last_tick(%(consumer)s) tick where tick is not null;

-- name: take_old_keys
-- Take the locks by which programs of schema version 1 exclude each other, until the transaction ends; false for one
-- that is held. The second is theirs where pgq_ext keeps the position.
select pg_try_advisory_xact_lock(%(key)s), %(name_key)s::int8 is null or pg_try_advisory_xact_lock(%(name_key)s);

-- name: standing_own
-- What a batch begins with: both old locks, owner, epoch, whether it is paused, tick and time.
select pg_try_advisory_xact_lock(%(key)s), true, owner, epoch, paused is not null, t.last_tick_id, t.last_tick_time
from tdsup.consumer left join tdsup.completed_tick t using (queue_name, consumer_name)
where queue_name = %(queue)s and consumer_name = %(consumer)s;

-- name: standing_pgq_ext
-- The same with pgq_ext.
select pg_try_advisory_xact_lock(%(key)s), pg_try_advisory_xact_lock(%(name_key)s), owner, epoch, paused is not null,
    tick, case when last_tick_id = tick then last_tick_time end
from tdsup.consumer, pgq_ext.get_last_tick(%(consumer)s) tick
where queue_name = %(queue)s and consumer_name = %(consumer)s;

-- name: standing_own_alone
-- The same without a row of owners.
select pg_try_advisory_xact_lock(%(key)s), true, null, 0::int8, false, last_tick_id, last_tick_time
from (select) one
left join tdsup.completed_tick on queue_name = %(queue)s and consumer_name = %(consumer)s;

-- name: standing_untimed
-- The same where our own table has no column for times.
select pg_try_advisory_xact_lock(%(key)s), true, null, 0::int8, false, last_tick_id, null::float8
from (select) one
left join tdsup.completed_tick on queue_name = %(queue)s and consumer_name = %(consumer)s;

-- name: standing_pgq_ext_alone
-- The same with pgq_ext alone.
select pg_try_advisory_xact_lock(%(key)s), pg_try_advisory_xact_lock(%(name_key)s), null, 0::int8, false,
    pgq_ext.get_last_tick(%(consumer)s), null::float8;

-- name: write_own
-- Remember the tick as applied.
insert into tdsup.completed_tick (queue_name, consumer_name, last_tick_id, last_tick_time)
values (%(queue)s, %(consumer)s, %(tick)s, %(tick_time)s)
on conflict (queue_name, consumer_name) do update
set last_tick_id = excluded.last_tick_id, last_tick_time = excluded.last_tick_time;

-- name: write_untimed
-- The same where our own table has no column for times.
insert into tdsup.completed_tick (queue_name, consumer_name, last_tick_id)
values (%(queue)s, %(consumer)s, %(tick)s)
on conflict (queue_name, consumer_name) do update set last_tick_id = excluded.last_tick_id;

-- name: write_pgq_ext
-- The same in pgq_ext.
select pgq_ext.set_last_tick(%(consumer)s, %(tick)s);

-- name: write_time
-- The time of the tick in pgq_ext.
update tdsup.consumer set last_tick_id = %(tick)s, last_tick_time = %(tick_time)s
where queue_name = %(queue)s and consumer_name = %(consumer)s;

-- name: write_counters
-- What the job has done in all.
update tdsup.consumer set counters = %(counters)s
where queue_name = %(queue)s and consumer_name = %(consumer)s;

-- name: write_time_and_counters
-- Both.
update tdsup.consumer set last_tick_id = %(tick)s, last_tick_time = %(tick_time)s, counters = %(counters)s
where queue_name = %(queue)s and consumer_name = %(consumer)s;

-- name: forget_own
-- Forget the position.
delete from tdsup.completed_tick where queue_name = %(queue)s and consumer_name = %(consumer)s;

-- name: forget_pgq_ext
-- The same in pgq_ext.
select pgq_ext.set_last_tick(%(consumer)s, null::int8);

-- name: forget_entry
-- Forget the consumer.
delete from tdsup.consumer where queue_name = %(queue)s and consumer_name = %(consumer)s;

-- name: add_entry
-- The consumer's row; 23505 if pgq_ext keeps the position of a consumer of that name on another queue.
insert into tdsup.consumer (queue_name, consumer_name, stored_in)
values (%(queue)s, %(consumer)s, %(stored_in)s) on conflict (queue_name, consumer_name) do nothing;

-- name: queue_of_name
-- The queue whose consumer of that name pgq_ext keeps.
select queue_name from tdsup.consumer where consumer_name = %(consumer)s and stored_in = 'pgq_ext';

-- name: stored_in
-- Where the consumer's row says that its position is; no row if there is none.
select stored_in from tdsup.consumer where queue_name = %(queue)s and consumer_name = %(consumer)s;

-- name: entry
-- The consumer's row, and what can be seen of its owner: whether the session lives, since when it only waits for its
-- client (empty: it does not, or not for long, or that cannot be seen), and whether its state can be seen; and the row's
-- state, as `changed_entries` has it.
select c.epoch, c.owner, c.host, c.target_pid, c.source_pid, c.source_start::text,
    extract(epoch from c.next_try - clock_timestamp())::float8,
    c.paused, c.blocked, c.source_cluster, c.source_database, c.counters, c.row_mode,
    a.pid is not null,
    case when a.state_change < clock_timestamp() - interval '10 seconds'
            and (a.state like 'idle in transaction%%' or (a.state = 'active' and a.wait_event like 'Client%%'))
        then to_char(a.state_change, 'YYYY-MM-DD HH24:MI:SS TZ') else '' end,
    a.state is not null,
    hashtextextended(row(c.owner, c.paused, c.blocked, c.next_try, c.target_pid is not null and a.pid is null)::text, 0)
        & 9223372036854775804 | 2 | (c.owner is not null and c.target_pid is null and c.next_try is null)::int
from tdsup.consumer c
left join pg_stat_get_activity(coalesce(c.target_pid, 0)) a on right(a.application_name, length(c.owner)) = c.owner
    and coalesce(a.backend_start = c.target_start, true)
where c.queue_name = %(queue)s and c.consumer_name = %(consumer)s;

-- name: changed_entries
-- Of some consumers, those whose state is another one than is known: a hash of what a process wants to know that waits for
-- its turn, or owns the consumer and sleeps, with a lowest bit that says whether its owner has no session until there is
-- news.
select queue, consumer, its.state
from unnest(%(queues)s::text[], %(consumers)s::text[], %(states)s::int8[]) known (queue, consumer, known_state)
left join tdsup.consumer c on c.queue_name = queue and c.consumer_name = consumer
left join pg_stat_get_activity(null) a on a.pid = c.target_pid
    and right(a.application_name, length(c.owner)) = c.owner
    and coalesce(a.backend_start = c.target_start, true)
cross join lateral (
    select hashtextextended(
            row(c.owner, c.paused, c.blocked, c.next_try, c.target_pid is not null and a.pid is null)::text, 0)
        & 9223372036854775804 | 2 | (c.owner is not null and c.target_pid is null and c.next_try is null)::int) its (state)
where its.state <> known_state;

-- name: lock_entry_at_once
-- Lock the consumer's row until the transaction ends; 55P03 if somebody else holds it.
select from tdsup.consumer where queue_name = %(queue)s and consumer_name = %(consumer)s for update nowait;

-- name: take_ownership
-- Become the owner, in the next epoch; returns it.
update tdsup.consumer c
set epoch = epoch + 1, owner = %(owner)s, host = %(host)s, target_pid = a.pid, target_start = a.backend_start,
    source_pid = %(source_pid)s, source_start = %(source_start)s::timestamptz, next_try = null,
    source_cluster = coalesce(source_cluster, %(cluster)s), source_database = coalesce(source_database, %(database)s)
from pg_stat_get_activity(pg_backend_pid()) a
where queue_name = %(queue)s and consumer_name = %(consumer)s
returning epoch;

-- name: leave_sessions
-- Stay the owner without sessions until a time, in seconds from now, or until there is news (NULL).
update tdsup.consumer
set target_pid = null, target_start = null, source_pid = null, source_start = null,
    next_try = clock_timestamp() + %(seconds)s::float8 * interval '1 second'
where queue_name = %(queue)s and consumer_name = %(consumer)s and owner = %(owner)s and epoch = %(epoch)s;

-- name: give_up_ownership
-- Be the owner no longer, and say what blocks the job, if anything does.
update tdsup.consumer
set owner = null, target_pid = null, target_start = null, source_pid = null, source_start = null, next_try = null,
    blocked = %(blocked)s
where queue_name = %(queue)s and consumer_name = %(consumer)s and owner = %(owner)s and epoch = %(epoch)s;

-- name: end_ownership
-- End the ownership of whoever has it: the next epoch begins without an owner.
update tdsup.consumer
set epoch = epoch + 1, owner = null, target_pid = null, target_start = null, source_pid = null, source_start = null,
    next_try = null
where queue_name = %(queue)s and consumer_name = %(consumer)s;

-- name: set_paused
-- Pause the consumer, on every host, or let it go on (NULL).
update tdsup.consumer
set paused = %(paused)s || to_char(clock_timestamp(), '" since "YYYY-MM-DD HH24:MI:SS TZ')
where queue_name = %(queue)s and consumer_name = %(consumer)s;

-- name: set_blocked
-- Say what blocks the consumer, or that nothing does (NULL).
update tdsup.consumer set blocked = %(blocked)s
where queue_name = %(queue)s and consumer_name = %(consumer)s;

-- name: set_row_mode
-- Remember by what row_mode = auto has chosen, or nothing (NULL).
update tdsup.consumer set row_mode = %(row_mode)s::jsonb
where queue_name = %(queue)s and consumer_name = %(consumer)s;

-- name: set_source
-- Say which source the consumer reads.
update tdsup.consumer set source_cluster = %(cluster)s, source_database = %(database)s
where queue_name = %(queue)s and consumer_name = %(consumer)s;

-- name: end_target_session
-- End the owner's session here, if it still bears its name.
select pg_terminate_backend(a.pid) from tdsup.consumer c join pg_stat_activity a on a.pid = c.target_pid
    and right(a.application_name, length(c.owner)) = c.owner
    and coalesce(a.backend_start = c.target_start, true)
where c.queue_name = %(queue)s and c.consumer_name = %(consumer)s;

-- name: end_session
-- End a session, if it still bears that name.
select pg_terminate_backend(pid) from pg_stat_activity
where pid = %(pid)s and right(application_name, length(%(owner)s)) = %(owner)s
    and coalesce(backend_start = %(start)s::timestamptz, true);
