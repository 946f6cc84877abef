-- Long: it is a list.
-- Every fixed statement of the dispatcher, each with a name and a sentence. Parameters are psycopg2's; {pgq} is the
-- schema of PgQ, {table} the quoted name of a table.

-- name: own_names
-- Look names up in pg_catalog alone, where nobody but a superuser makes anything, until the transaction ends.
set local search_path to pg_catalog, pg_temp;

-- name: users_names
-- Look names up as the database has it for its users, until the transaction ends: for code of theirs that runs, such as
-- triggers, defaults and checks.
set local search_path to default;

-- name: own_names_again
-- Look names up in pg_catalog alone again, even if code of users has changed that for the session.
set search_path to pg_catalog, pg_temp;

-- name: users_names_behind
-- As users_names, but what a name means in pg_catalog it means.
select set_config('search_path', concat_ws(', ', 'pg_catalog', nullif(reset_val, '')), true)
from pg_settings where name = 'search_path';

-- name: join_by_index
-- Let joins look rows up one by one. The planner knows nothing of a stage, and would rather read a whole table for it.
set local enable_hashjoin = off;
set local enable_mergejoin = off;

-- name: join_as_planned
-- Let joins be what the planner thinks best.
set local enable_hashjoin = default;
set local enable_mergejoin = default;

-- name: lift_statement_timeout
-- Let statements of a session take as long as they need, the next one first of all.
select set_config('statement_timeout', '0', false) where pg_backend_pid() = %(pid)s;

-- name: set_up_session
-- Give a session of some process its settings, as far as the server has them, and raise synchronous_commit; tells the
-- process. In another process, as a pooler's may be, nothing is set. Only a server on Linux is sure to be able to look
-- whether its client is there.
select set_config(name, value, false)
from unnest(%(names)s::text[], %(values)s::text[]) wanted (name, value)
where pg_backend_pid() = %(pid)s and current_setting(name, true) is not null
  and (name <> 'synchronous_commit' or current_setting(name) in ('off', 'local'))
  and (name <> 'client_connection_check_interval' or version() like '%%linux%%');
select pg_backend_pid();

-- name: source_styles
-- How sessions of the source write dates, intervals and money: what the database says, else what holds for this
-- session, unless its own role alone says that; and what roles say.
with said as (
    select setdatabase <> 0 as is_here, setrole, lower(split_part(entry, '=', 1)) as name,
        substr(entry, strpos(entry, '=') + 1) as value
    from pg_db_role_setting, unnest(setconfig) entry
    where setdatabase in (0, (select oid from pg_database where datname = current_database()))
)
select lower(s.name), coalesce(
        (select value from said where said.name = lower(s.name) and setrole = 0 order by is_here desc limit 1),
        s.reset_val),
    array(select distinct value from said where said.name = lower(s.name) and setrole <> 0)
from pg_settings s where lower(s.name) in ('datestyle', 'intervalstyle', 'lc_monetary', 'timezone');

-- name: set_setting
-- Give the session a setting.
select set_config(%(name)s, %(value)s, false);

-- name: zone_samples
-- Moments of each week since 1970 as a time zone calls them: abbreviation, text, seconds since 1970.
select set_config('TimeZone', %(zone)s, true);
select to_char(t, 'TZ'), to_char(t, 'YYYY-MM-DD HH24:MI:SS TZ'), extract(epoch from t)::int8
from generate_series(timestamptz '1970-01-01 12:00+00', now() + interval '2 years', interval '1 week') t
where to_char(t, 'TZ') ~ '[A-Z]';

-- name: reads_moments
-- Whether the session reads texts as those moments.
select bool_and(extract(epoch from text::timestamptz) = moment)
from unnest(%(texts)s::text[], %(moments)s::int8[]) as samples (text, moment);

-- name: has_pgq
-- Whether the source has PgQ.
select to_regclass('{pgq}.queue') is not null;

-- name: old_pgq
-- Version of a PgQ that has no next_batch_custom; NULL if it has that.
select case when to_regprocedure('{pgq}.next_batch_custom(text, text, interval, int4, interval)') is null
    then {pgq}.version() end;

-- name: has_queue
-- Whether the queue exists.
select exists (select from {pgq}.queue where queue_name = %(queue)s);

-- name: all_queues
-- The source's database, and all queues there.
select current_database()::text, array(select queue_name from {pgq}.queue order by 1);

-- name: feeding_tables
-- Tables whose triggers put events into the queue, as ev_extra1 names them, and the tables that they are partitions of;
-- of a table that is no partition, itself; and whether triggers put truncates there.
select n.nspname || '.' || c.relname, rn.nspname || '.' || r.relname, bool_or(t.tgtype & 32 <> 0 and t.tgenabled <> 'D')
from pg_trigger t
join pg_proc p on p.oid = t.tgfoid join pg_namespace pn on pn.oid = p.pronamespace
join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
join pg_class r on r.oid = coalesce(pg_partition_root(c.oid), c.oid) join pg_namespace rn on rn.oid = r.relnamespace
where pn.nspname = '{pgq}' and not t.tgisinternal
  and split_part(encode(t.tgargs, 'escape'), '\000', 1) = %(queue)s
group by 1, 2;

-- name: partitions_of
-- The partitions of some tables, at any depth, as ev_extra1 names them; and the table, as it was given, of each. Tables
-- are given by name, or by regular expressions. The role need not be allowed to use their schemas.
with wanted as (
    select r.oid, rn.nspname || '.' || r.relname as root
    from unnest(%(tables)s::text[]) given (table_name)
    join pg_namespace rn on rn.nspname = split_part(table_name, '.', 1)
    join pg_class r on r.relnamespace = rn.oid and r.relname = substr(table_name, strpos(table_name, '.') + 1)
    union
    select r.oid, rn.nspname || '.' || r.relname
    from pg_class r join pg_namespace rn on rn.oid = r.relnamespace
    where relkind = 'p' and not relispartition and rn.nspname || '.' || r.relname ~ any (%(patterns)s::text[])
)
select n.nspname || '.' || c.relname as name, root
from wanted
join pg_partition_tree(wanted.oid) tree on tree.relid <> wanted.oid
join pg_class c on c.oid = tree.relid join pg_namespace n on n.oid = c.relnamespace;

-- name: register_at
-- Set the consumer to a tick of the queue; registers it if need be.
select {pgq}.register_consumer_at(%(queue)s, %(consumer)s, %(tick)s);

-- name: register_new_at
-- Register the consumer at a tick of the queue, unless it is registered; one statement, as a late one must not move a
-- consumer that has gone on.
select {pgq}.register_consumer_at(%(queue)s, %(consumer)s, %(tick)s)
where not exists (
    select from {pgq}.subscription
    join {pgq}.queue on queue_id = sub_queue join {pgq}.consumer on co_id = sub_consumer
    where queue_name = %(queue)s and co_name = %(consumer)s);

-- name: is_registered
-- Whether a consumer is registered on the queue.
select exists (
    select from {pgq}.subscription
    join {pgq}.queue on queue_id = sub_queue join {pgq}.consumer on co_id = sub_consumer
    where queue_name = %(queue)s and co_name = %(consumer)s);

-- name: has_open_batch
-- Whether the consumer has an open batch.
select exists (
    select from {pgq}.subscription
    join {pgq}.queue on queue_id = sub_queue join {pgq}.consumer on co_id = sub_consumer
    where queue_name = %(queue)s and co_name = %(consumer)s and sub_batch is not null);

-- name: is_open
-- Whether a batch is open.
select exists (select from {pgq}.subscription where sub_batch = %(batch)s);

-- name: unregister
-- Unregister the consumer; 0 if it was not registered.
select {pgq}.unregister_consumer(%(queue)s, %(consumer)s);

-- name: may_see_cluster
-- Whether the role may ask for the cluster's identifier.
select has_function_privilege('pg_control_system()', 'execute');

-- name: cluster
-- Identifier of the cluster.
select system_identifier from pg_control_system();

-- name: own_session
-- Name of the database, process and start of this session.
select current_database()::text, pid, backend_start::text from pg_stat_get_activity(pg_backend_pid());

-- name: waited_for
-- Of the busiest session of a process, by how its name ends: pid, statement, for how many seconds that has run, type and name of
-- what it waits for, the table that it wants to lock; and of who holds that up: pid, user, program, state and statement, as far
-- as they may be seen.
select its.pid, its.query, extract(epoch from clock_timestamp() - its.query_start)::float8, its.wait_event_type, its.wait_event,
    (select relation::regclass::text from pg_locks where pid = its.pid and not granted and relation is not null limit 1),
    holder.pid, holder.usename::text, holder.application_name, holder.state, holder.query
from pg_stat_activity its
left join lateral (
    select other.* from unnest(pg_blocking_pids(its.pid)) as blocking (pid)
    join pg_stat_activity other on other.pid = blocking.pid order by other.xact_start nulls last limit 1) holder on true
where right(its.application_name, length(%(identity)s)) = %(identity)s and its.pid <> pg_backend_pid()
order by its.state = 'active' desc nulls last, its.query_start limit 1;

-- name: whereabouts
-- The tick at which the consumer stands, the oldest and the newest tick of the queue, and the tick of a number, each
-- with its time; NULL where there is none. No row if there is no such queue.
select sub_last_tick, stands.time, oldest.id, oldest.time, newest.id, newest.time, wanted.time
from {pgq}.queue
left join {pgq}.consumer on co_name = %(consumer)s
left join {pgq}.subscription on sub_queue = queue_id and sub_consumer = co_id
left join lateral (
    select extract(epoch from tick_time)::float8 from {pgq}.tick
    where tick_queue = queue_id and tick_id = sub_last_tick) stands (time) on true
left join lateral (
    select tick_id, extract(epoch from tick_time)::float8 from {pgq}.tick
    where tick_queue = queue_id order by tick_id limit 1) oldest (id, time) on true
left join lateral (
    select tick_id, extract(epoch from tick_time)::float8 from {pgq}.tick
    where tick_queue = queue_id order by tick_id desc limit 1) newest (id, time) on true
left join lateral (
    select extract(epoch from tick_time)::float8 from {pgq}.tick
    where tick_queue = queue_id and tick_id = %(tick)s) wanted (time) on true
where queue_name = %(queue)s;

-- name: all_consumers
-- Consumers of all queues: queue, consumer, last tick, its age, events after it, time since it last asked.
select queue_name, co_name, sub_last_tick, date_trunc('second', now() - tick_time)::text,
    (select max(tick_event_seq) from {pgq}.tick where tick_queue = queue_id) - tick_event_seq,
    date_trunc('second', now() - sub_active)::text
from {pgq}.subscription
join {pgq}.queue on queue_id = sub_queue join {pgq}.consumer on co_id = sub_consumer
left join {pgq}.tick on tick_queue = sub_queue and tick_id = sub_last_tick
order by queue_name, co_name;

-- name: may_plan_batches
-- Whether the role may ask for the query of a batch. A reader of PgQue may not, and runs it by a function.
select has_function_privilege('{pgq}.batch_event_sql(bigint)', 'execute');

-- name: next_batch_unplanned
-- As next_batch; the query calls the function that yields the batch's events.
select batch_id, cur_tick_id, prev_tick_id, extract(epoch from cur_tick_time)::float8,
    extract(epoch from prev_tick_time)::float8, cur_tick_event_seq, prev_tick_event_seq,
    case when batch_id is not null then format('select * from {pgq}.get_batch_events(%%s)', batch_id) end,
    (select count(*) from {pgq}.tick where tick_queue = (
        select queue_id from {pgq}.queue where queue_name = %(queue)s)
        and tick_id > prev_tick_id and tick_id <= cur_tick_id)
from {pgq}.next_batch_custom(
    %(queue)s, %(consumer)s, %(keep_lag)s::interval, %(min_count)s::int4, %(min_interval)s::interval);

-- name: next_batch
-- Open the next batch, or return the one still open; its id is NULL if there is none. Its id, its ticks and their times,
-- the event sequence at both, the query that yields its events, and how many ticks it has.
select batch_id, cur_tick_id, prev_tick_id, extract(epoch from cur_tick_time)::float8,
    extract(epoch from prev_tick_time)::float8, cur_tick_event_seq, prev_tick_event_seq,
    case when batch_id is not null then {pgq}.batch_event_sql(batch_id) end,
    (select count(*) from {pgq}.tick where tick_queue = (
        select queue_id from {pgq}.queue where queue_name = %(queue)s)
        and tick_id > prev_tick_id and tick_id <= cur_tick_id)
from {pgq}.next_batch_custom(
    %(queue)s, %(consumer)s, %(keep_lag)s::interval, %(min_count)s::int4, %(min_interval)s::interval);

-- name: snapshot
-- Which transactions have ended. While that stays the same, a look shows the same.
select txid_current_snapshot()::text;

-- name: new_ticks
-- Of some queues, those whose newest tick is another one than is known, each with that tick, the event sequence at it, and
-- the period of rotation in seconds.
select queue_name, newest.tick_id, newest.tick_event_seq, extract(epoch from queue_rotation_period)::float8
from unnest(%(queues)s::text[], %(ticks)s::int8[]) as known (queue, tick)
join {pgq}.queue on queue_name = queue
cross join lateral (
    select tick_id, tick_event_seq from {pgq}.tick where tick_queue = queue_id order by tick_id desc limit 1) newest
where newest.tick_id <> tick;

-- name: notifies
-- Whether each tick is notified, as PgQue's are.
select exists (
    select from pg_proc join pg_namespace n on n.oid = pronamespace
    where nspname = '{pgq}' and proname = 'ticker' and prosrc like '%%pg\_notify(''pgque\_''%%');

-- name: where_consumers_stand
-- Consumers of queues, each with the tick that it has finished last, NULL if it is not registered; the age in seconds of the
-- queue's newest tick, NULL if it has none; for how long the rotation of its tables has been due while this consumer
-- still stands before the last one, 0 if it is not due or others hold it up; whether a running ticker would have made a newer
-- tick; and whether the queue's ticker is paused. PgQ rotates once every consumer has passed the last rotation
-- (pgq.maint_rotate_tables_step1). It ticks within ticker_max_lag of an event, and without events once in
-- ticker_idle_period. Whether there are some, the sequence of their ids tells whoever may read it.
select queue, consumer, sub_last_tick, extract(epoch from now() - newest.tick_time)::float8,
    case when stands.tick_time < queue_switch_time
        then greatest(0, extract(epoch from now() - queue_switch_time - queue_rotation_period))::float8 else 0 end,
    coalesce(not queue_external_ticker and (
        now() - newest.tick_time > 1.25 * greatest(queue_ticker_idle_period, queue_ticker_max_lag) + interval '15 s'
        or case when now() - newest.tick_time > 3 * queue_ticker_max_lag + interval '10 s'
            and has_sequence_privilege(to_regclass(queue_event_seq)::oid, 'usage, select')
            then pg_sequence_last_value(to_regclass(queue_event_seq)) > newest.tick_event_seq else false end), false),
    coalesce(queue_ticker_paused, false)
from unnest(%(queues)s::text[], %(consumers)s::text[]) as known (queue, consumer)
left join {pgq}.queue on queue_name = queue
left join lateral (
    select tick_time, tick_event_seq from {pgq}.tick
    where tick_queue = queue_id order by tick_id desc limit 1) newest on true
left join {pgq}.consumer on co_name = consumer
left join {pgq}.subscription on sub_queue = queue_id and sub_consumer = co_id
left join {pgq}.tick stands on stands.tick_queue = queue_id and stands.tick_id = sub_last_tick;

-- name: waiting_events
-- Of a queue with events behind its newest tick: its name, for how many seconds the first one has waited, and how many there
-- are, as far as ids tell. {table} is the queue's.
select %(queue)s, extract(epoch from now() - first.ev_time)::float8, last.ev_id - newest.tick_event_seq
from {pgq}.queue
join lateral (
    select tick_event_seq, txid_snapshot_xmax(tick_snapshot) as xmax from {pgq}.tick
    where tick_queue = queue_id order by tick_id desc limit 1) newest on true
join lateral (select ev_time from {table} where ev_txid >= newest.xmax order by ev_txid limit 1) first on true
join lateral (select ev_id from {table} where ev_txid >= newest.xmax order by ev_txid desc limit 1) last on true
where queue_name = %(queue)s;

-- name: event_tables
-- The table of each of some queues that holds its events, as SQL.
select queue_name, to_regclass(queue_data_pfx)::text
from {pgq}.queue where queue_name = any (%(queues)s::text[]) and to_regclass(queue_data_pfx) is not null;

-- name: holds_events
-- The name of a queue if there are events between two of its ticks, or the first of them is gone; by the conditions of
-- pgq.batch_event_sql, which an index serves even while an old transaction is open. {table} is the queue's.
select %(queue)s
from {pgq}.queue
left join {pgq}.tick told on told.tick_queue = queue_id and told.tick_id = %(told)s
left join {pgq}.tick newest on newest.tick_queue = queue_id and newest.tick_id = %(newest)s
where queue_name = %(queue)s and (
    told.tick_id is null
    or exists (
        select from {table} where ev_txid >= txid_snapshot_xmax(told.tick_snapshot)
        and txid_visible_in_snapshot(ev_txid, newest.tick_snapshot))
    or exists (
        select from txid_snapshot_xip(told.tick_snapshot) open join {table} on ev_txid = open
        where txid_visible_in_snapshot(open, newest.tick_snapshot)));

-- name: finish_batch
-- Close a batch: 1, or 0 if it is no longer open; the age of its end in seconds; how many events came after it. It is
-- planned each time, so it asks for no more than two rows by their keys.
select {pgq}.finish_batch(%(batch)s), extract(epoch from clock_timestamp())::float8 - %(tick_time)s,
    coalesce((
        select tick_event_seq from {pgq}.tick
        where tick_queue = (select queue_id from {pgq}.queue where queue_name = %(queue)s)
        order by tick_id desc limit 1) - %(event_seq)s, 0);

-- name: lock_transaction
-- Take a lock until the transaction ends; waits for it.
select pg_advisory_xact_lock(%(key)s);

-- name: lock_session
-- Take a lock until `unlock_session`, or until the session ends; waits for it.
select pg_advisory_lock(%(key)s);

-- name: try_lock_session
-- The same without a wait: whether it was free.
select pg_try_advisory_lock(%(key)s);

-- name: unlock_session
-- Give a lock of `lock_session` back.
select pg_advisory_unlock(%(key)s);

-- name: lock_holder
-- Which other session holds a lock: process, application name and address; no row if none does.
select a.pid, coalesce(nullif(a.application_name, ''), 'unnamed'), coalesce(a.client_addr::text, 'local')
from pg_locks l join pg_stat_activity a using (pid)
where l.locktype = 'advisory' and l.granted and l.objsubid = 1 and a.pid <> pg_backend_pid()
  and l.database = (select oid from pg_database where datname = current_database())
  and (l.classid::int8 << 32 | l.objid::int8) = %(key)s;

-- name: wait_at_most
-- Let a lock be waited for no longer than that, until `wait_as_before`.
set local lock_timeout = '10s';

-- name: wait_briefly
-- Let a lock on a table be waited for so long only: whoever comes later for the same table waits behind.
set local lock_timeout = '2s';

-- name: heed_commits
-- Let each statement of the transaction see what is committed by then, whatever the session does.
set transaction isolation level read committed;

-- name: wait_as_before
-- Let locks be waited for as the session does.
set local lock_timeout to default;

-- name: table_exists
-- Whether there is a relation with that quoted name.
select to_regclass(%(table)s) is not null;

-- name: table_kind
-- pg_class.relkind of the relation with that quoted name; no row if there is none.
select relkind::text from pg_class where oid = to_regclass(%(table)s);

-- name: takes_copy
-- Whether COPY can write to a relation; false for a view, and for a table whose row security holds for the role.
select relkind <> 'v' and not row_security_active(oid) from pg_class where oid = to_regclass(%(table)s);

-- name: table_columns
-- Columns of a relation: name, whether it is generated, whether equal values always have the same text, whether it is an
-- array, and the type, for an array or a domain the type that it is made of; the operator by which its values are
-- equal: that of a unique index, else that of its type; and the type and collation that it is declared with.
with recursive relation (id) as (select to_regclass(%(table)s)::oid),
parts (number, type, is_whole) as (
    select attnum, atttypid, true from relation join pg_attribute on attrelid = id
    where attnum > 0 and not attisdropped
    union select number, case typtype when 'd' then typbasetype else typelem end, is_whole and typtype = 'd'
    from parts join pg_type on oid = type where typtype = 'd' or typcategory = 'A'
),
made (number, is_array, type, base) as (
    select number, bool_or(typcategory = 'A' and typlen = -1),
        min(typname::text) filter (where typtype <> 'd' and typcategory <> 'A'),
        min(parts.type) filter (where typtype <> 'd' and is_whole)
    from parts join pg_type on oid = parts.type group by number
),
keyed (number, class) as (
    select distinct on (k.number) k.number, k.class
    from relation join pg_index on indrelid = id and indisunique
    -- Columns that an index only includes have no class.
    cross join unnest(indkey::int2[], indclass::oid[]) as k (number, class)
    where k.class is not null
    order by k.number, not indisprimary, indexrelid
)
select attname::text, attgenerated <> '',
    atttypid = any('{int2,int4,int8,oid,text,varchar,bpchar,name,uuid,date}'::regtype[])
        and not exists (select from pg_collation c where c.oid = attcollation and not collisdeterministic),
    is_array, made.type,
    coalesce((
        select format('operator(%%I.%%s)', nspname, oprname)
        from pg_opclass c
        join pg_amop on amopfamily = opcfamily and amoplefttype = opcintype and amoprighttype = opcintype
            and amopstrategy = 3
        join pg_operator o on o.oid = amopopr join pg_namespace n on n.oid = oprnamespace
        where opcmethod = 403 and c.oid = coalesce(keyed.class, (
            select oid from pg_opclass where opcmethod = 403 and opcdefault and opcintype = base))
    ), 'operator(pg_catalog.=)'),
    format('%%s %%s', format_type(atttypid, atttypmod), attcollation)
from relation join pg_attribute on attrelid = id join made on made.number = attnum
left join keyed on keyed.number = attnum
order by attnum;

-- name: partition_ranges
-- Of a table that is partitioned by the range of one date or time, or of a number if there is a unit of such: the type of
-- that, a period in a time zone as seconds or numbers, and of each partition its name, bounds as text and as numbers (NULL:
-- the default one). What a pending detach takes away is none: nobody who reads the table sees its rows. A row without a name
-- if there are no partitions; no row if the table is partitioned otherwise (by another column, if one is named), or not.
select key.type, key.lower, key.upper, n.nspname::text, c.relname::text, bounds[1], bounds[2], numbers.lower, numbers.upper
from (
    select partrelid, atttypid::regtype::text as type,
        case when atttypid = 'timestamptz'::regtype
                then coalesce(%(since)s::float8, extract(epoch from %(start)s::timestamp at time zone %(zone)s))
            when counts then %(since)s::float8 * %(unit)s
            else extract(epoch from %(start)s::timestamp) end::float8 as lower,
        case when atttypid = 'timestamptz'::regtype
                then coalesce(%(until)s::float8, extract(epoch from %(end)s::timestamp at time zone %(zone)s))
            when counts then %(until)s::float8 * %(unit)s
            else extract(epoch from %(end)s::timestamp) end::float8 as upper,
        counts
    from pg_partitioned_table join pg_attribute on attrelid = partrelid and attnum = partattrs[0],
        lateral (select %(unit)s > 0 and atttypid = any('{int4,int8,numeric,float8}'::regtype[])) of_type (counts)
    where partrelid = to_regclass(%(table)s) and partstrat = 'r' and partnatts = 1 and %(column)s in ('', attname)
        and (atttypid in ('date'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype)
            or counts)
) key
left join pg_inherits i on inhparent = partrelid and not coalesce((to_jsonb(i) ->> 'inhdetachpending')::bool, false)
left join pg_class c on c.oid = inhrelid left join pg_namespace n on n.oid = c.relnamespace
left join lateral (
    -- FOR VALUES FROM ('2026-11-01') TO ('2026-12-01'), FOR VALUES FROM (MINVALUE) TO (0), or DEFAULT. Each is read once,
    -- however often it is named below; a regular expression would take ten times as long.
    select case when expression like 'FOR VALUES FROM (%%) TO (%%)' then array[
        btrim(split_part(split_part(expression, 'FROM (', 2), ') TO (', 1), $$'$$),
        btrim(rtrim(split_part(expression, ') TO (', 2), ')'), $$'$$)] end
    from pg_get_expr(c.relpartbound, 0) expression offset 0
) as read (bounds) on true
left join lateral (select
    case when bounds[1] = 'MINVALUE' then '-Infinity' when bounds[1] = 'NaN' then 'Infinity'
        when counts then bounds[1]::float8
        when type = 'timestamp with time zone' then extract(epoch from bounds[1]::timestamptz)
        else extract(epoch from bounds[1]::timestamp) end::float8,
    case when bounds[2] in ('MAXVALUE', 'NaN') then 'Infinity'
        when counts then bounds[2]::float8
        when type = 'timestamp with time zone' then extract(epoch from bounds[2]::timestamptz)
        else extract(epoch from bounds[2]::timestamp) end::float8
) as numbers (lower, upper) on true;

-- name: tree_state
-- Of a natively partitioned table: how many partitions it has on some levels, and the sum of the transactions that have
-- attached them or begun to detach them; 0 and 0 of any other table.
with recursive tree (id, level, version) as (
    select oid, 0, 0::int8 from pg_class where oid = to_regclass(%(table)s) and relkind = 'p'
    union all
    select inhrelid, level + 1, i.xmin::text::int8 from tree join pg_inherits i on inhparent = id where level < %(levels)s
)
select count(*), coalesce(sum(version), 0)::int8 from tree;

-- name: partition_key
-- By what a table is natively partitioned; no row if it is not.
select pg_get_partkeydef(partrelid) from pg_partitioned_table where partrelid = to_regclass(%(table)s);

-- name: time_of
-- The time that the target reads in a value: of a moment what clocks show in a time zone, else what is written.
select case when %(by_moment)s then %(value)s::timestamptz at time zone %(zone)s else %(value)s::timestamp end::text;

-- name: transaction_time
-- When the transaction began, in seconds since 1970.
select extract(epoch from now())::float8;

-- name: list_columns
-- Of some columns of a table: name, type with collation as one declares them, whether values are compared by code of
-- pg_catalog alone and have a text in JSON, and the type for people.
select attname::text, concat_ws(' collate ', format_type(atttypid, atttypmod),
        (select format('%%I.%%I', nspname, collname) from pg_collation c join pg_namespace n on n.oid = collnamespace
            where c.oid = attcollation and c.oid <> 'default'::regcollation)),
    typtype = 'e' or atttypid = any('{bool,int2,int4,int8,oid,numeric,text,varchar,bpchar,name,uuid}'::regtype[]),
    format_type(atttypid, atttypmod)
from pg_attribute join pg_type t on t.oid = atttypid
where attrelid = to_regclass(%(table)s) and attname = any(%(names)s) and attnum > 0 and not attisdropped;

-- name: list_partitions
-- Of a table that is partitioned by lists of one column, compared by its own collation: of each partition its schema, name,
-- pg_class.relkind, and the condition on its rows, the default one last. A row without a name if there are no partitions;
-- no row if the table is partitioned otherwise, or not. What is being detached is none any more.
select n.nspname::text, c.relname::text, c.relkind::text, coalesce(pg_get_partition_constraintdef(c.oid), 'true')
from pg_partitioned_table p join pg_attribute a on attrelid = partrelid and attnum = partattrs[0]
left join pg_inherits i on inhparent = partrelid
    and not coalesce((to_jsonb(i) ->> 'inhdetachpending')::bool, false)
left join pg_class c on c.oid = inhrelid left join pg_namespace n on n.oid = c.relnamespace
where partrelid = to_regclass(%(table)s) and partstrat = 'l' and partnatts = 1 and attname = %(column)s
    and partcollation[0] = attcollation
order by c.oid is not distinct from partdefid, c.oid;

-- name: is_child
-- Whether a table is a child of another one.
select exists (
    select from pg_inherits where inhrelid = to_regclass(%(table)s) and inhparent = to_regclass(%(parent)s));

-- name: is_doomed
-- Whether a table has a comment that it is to be dropped.
select coalesce(obj_description(to_regclass(%(table)s)::oid, 'pg_class') ~ %(mark)s, false);

-- name: is_attached
-- Whether a table is a partition or child of another one, and no detach of it has begun.
select exists (
    select from pg_inherits i
    where inhrelid = to_regclass(%(table)s) and not coalesce((to_jsonb(i) ->> 'inhdetachpending')::bool, false));

-- name: pending_detach
-- The partition of a table whose detach has begun and not ended; no row if there is none.
select inhrelid::regclass::text from pg_inherits i
where inhparent = to_regclass(%(table)s) and (to_jsonb(i) ->> 'inhdetachpending')::bool;

-- name: partitioning_extensions
-- Whether there is TimescaleDB's list of hypertables, and Citus's of its tables. Of the former it counts whose it is: others
-- may make such a view, and functions in it would run as our role. In pg_catalog nobody may make a table.
select exists (
    select from pg_extension e
    join pg_depend on refclassid = 'pg_extension'::regclass and refobjid = e.oid and deptype = 'e'
    join pg_class c on classid = 'pg_class'::regclass and objid = c.oid
    join pg_namespace n on n.oid = relnamespace
    where extname = 'timescaledb' and nspname = 'timescaledb_information' and relname = 'hypertables'),
    to_regclass('pg_catalog.pg_dist_partition') is not null;

-- name: is_hypertable
-- Whether a table is a hypertable of TimescaleDB, which must be there.
select exists (
    select from timescaledb_information.hypertables
    where hypertable_schema = %(schema)s and hypertable_name = %(relation)s);

-- name: is_of_citus
-- Whether a table is one of Citus, which must be there.
select exists (select from pg_catalog.pg_dist_partition where logicalrelid = to_regclass(%(table)s));

-- name: default_partition
-- Schema and name of the default partition of a table that is partitioned by the range of one column, and that column; no
-- row if it has none that can have constraints.
select n.nspname::text, c.relname::text, attname::text
from pg_partitioned_table p join pg_class c on c.oid = partdefid join pg_namespace n on n.oid = c.relnamespace
join pg_attribute on attrelid = partrelid and attnum = partattrs[0]
where partrelid = to_regclass(%(table)s) and partstrat = 'r' and partnatts = 1 and c.relkind in ('r', 'p');

-- name: guards_left
-- CHECKs of a table whose names begin so: name, and whether they hold for all rows.
select conname::text, convalidated from pg_constraint
where conrelid = to_regclass(%(table)s) and contype = 'c' and starts_with(conname, %(stem)s);

-- name: guarded
-- Schema and name of the table of which a partition has a CHECK of some name: it, or one that it is a part of.
select nspname::text, relname::text from pg_partition_ancestors(to_regclass(%(table)s)) a
join pg_constraint on conrelid = a.relid join pg_class c on c.oid = a.relid join pg_namespace n on n.oid = relnamespace
where conname = %(name)s and contype = 'c' and conislocal;

-- name: holds_bounds
-- Whether a row with a time in a text has that time in a column: a date, unless hours count, or a timestamp that does not
-- round, which is not generated and which no trigger before changes can set. Triggers that route rows to children do not count.
select exists (
    select from pg_attribute
    where attrelid = to_regclass(%(table)s) and attname = %(column)s and attnum > 0 and not attisdropped
        and attgenerated = '' and (
            atttypid = 'date'::regtype and not %(by_hour)s
            or atttypid = 'timestamp'::regtype and atttypmod in (-1, 6))
        and not exists (
            select from pg_trigger t join pg_proc p on p.oid = tgfoid
            where tgrelid = attrelid and not tgisinternal and tgtype & 3 = 3
                and not (tgtype & 4 = 4 and prosrc ~* '\minsert\s+into\M')));

-- name: noting
-- The statement that adds a line to the comment of a table; no row if the role may not, or it is none.
select format('comment on %%s %%s is %%L', case relkind when 'f' then 'foreign table' else 'table' end, oid::regclass,
    concat_ws(E'\n', obj_description(oid, 'pg_class'), %(line)s::text))
from pg_class where oid = to_regclass(%(table)s) and relkind in ('r', 'p', 'f') and pg_has_role(relowner, 'usage');

-- name: clone_details
-- Statements that give a child what CREATE TABLE LIKE does not: options, foreign keys, triggers, row security, grants,
-- comment and owner of its parent. Triggers before an insert whose function inserts rows are left out: they route rows
-- to children. The child's owner stays if the parent's may not have it; then that is granted everything.
with parent as (
    select c.*, %(child)s::text as child, s.spcname,
        pg_has_role(relowner, 'usage') and has_schema_privilege(relowner, relnamespace, 'create')
        and case when current_setting('server_version_num')::int >= 160000 then pg_has_role(relowner, 'set')
            else pg_has_role(relowner, 'member') end as may_own
    from pg_class c left join pg_tablespace s on s.oid = c.reltablespace where c.oid = to_regclass(%(parent)s)
),
triggers as (
    select child, tgname, tgenabled, pg_get_triggerdef(t.oid) as text,
        ' ON ' || quote_ident(n.nspname) || '.' || quote_ident(relname) || ' ' as place,
        strpos(pg_get_triggerdef(t.oid), quote_ident(tgname)) + length(quote_ident(tgname)) as after_name
    from parent join pg_trigger t on tgrelid = parent.oid join pg_proc p on p.oid = tgfoid
    join pg_namespace n on n.oid = relnamespace
    where not tgisinternal and not (tgtype & 7 = 7 and prosrc ~* '\minsert\s+into\M')
),
grants as (
    select child, null::name as attname, (aclexplode(relacl)).*, relowner from parent
    union all
    select child, attname, (aclexplode(attacl)).*, relowner from parent
    join pg_attribute on attrelid = parent.oid and attnum > 0 and not attisdropped
)
select statement from (
    select 1, format('alter table %%s set (%%s)', child, (
        select string_agg(format('%%s = %%L', split_part(o, '=', 1), substr(o, strpos(o, '=') + 1)), ', ')
        from unnest(reloptions) o))
    from parent where reloptions is not null
    union all select 2, format('alter table %%s set tablespace %%I', child, spcname) from parent where spcname is not null
    union all select 3, format('alter table %%s alter column %%I set statistics %%s', child, attname, attstattarget)
    from parent join pg_attribute on attrelid = parent.oid and attnum > 0 and not attisdropped
    where coalesce(attstattarget, -1) >= 0
    union all select 4, format('alter table %%s replica identity %%s', child,
        case relreplident when 'f' then 'full' else 'nothing' end) from parent where relreplident in ('f', 'n')
    union all select 5, format('alter table %%s add constraint %%I %%s', child, conname, pg_get_constraintdef(k.oid))
    from parent join pg_constraint k on conrelid = parent.oid where contype = 'f'
    union all select 6, overlay(text placing ' ON ' || child || ' '
        from after_name - 1 + strpos(substr(text, after_name), place) for length(place)) from triggers
    union all select 7, format('alter table %%s %%s trigger %%I', child,
        case tgenabled when 'D' then 'disable' when 'A' then 'enable always' else 'enable replica' end, tgname)
    from triggers where tgenabled <> 'O'
    union all select 8, format('create policy %%I on %%s as %%s for %%s to %%s%%s%%s', polname, child,
        case when polpermissive then 'permissive' else 'restrictive' end,
        case polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete'
            else 'all' end,
        (select string_agg(case when role = 0 then 'public' else quote_ident(pg_get_userbyid(role)) end, ', ')
            from unnest(polroles) role),
        ' using (' || pg_get_expr(polqual, polrelid) || ')', ' with check (' || pg_get_expr(polwithcheck, polrelid) || ')')
    from parent join pg_policy on polrelid = parent.oid
    union all select 9, format('alter table %%s enable row level security', child) from parent where relrowsecurity
    union all select 10, format('alter table %%s force row level security', child) from parent where relforcerowsecurity
    union all select 11, format('grant %%s on %%s to %%s%%s',
        string_agg(privilege_type || coalesce(' (' || quote_ident(attname) || ')', ''), ', '
            order by privilege_type, attname), child,
        case when grantee = 0 then 'public' else quote_ident(pg_get_userbyid(grantee)) end,
        case when is_grantable then ' with grant option' else '' end)
    from grants where grantee <> relowner group by child, grantee, is_grantable
    union all select 12, format('comment on table %%s is %%L', child, obj_description(oid, 'pg_class'))
    from parent where obj_description(oid, 'pg_class') is not null
    union all select 13, case when may_own then format('alter table %%s owner to %%I', child, pg_get_userbyid(relowner))
        else format('grant all on %%s to %%I', child, pg_get_userbyid(relowner)) end
    from parent where relowner <> (select oid from pg_roles where rolname = current_user)
) as details (position, statement) where statement is not null order by position, statement;

-- name: unique_columns
-- Columns of each unique index of a table that holds for all rows, without those by which PostgreSQL partitions it or,
-- as is said, its partitions, unless the index has no others.
with forced as (
    select array_agg(attname) || %(forced)s::name[] as names
    from pg_partition_ancestors(to_regclass(%(table)s))
    join pg_partitioned_table on partrelid = relid
    join pg_attribute on attrelid = relid and attnum = any(partattrs::int2[])
),
indexed as (
    select indexrelid, attname, attname = any(coalesce(names, '{}')) as is_forced
    from forced, pg_index, unnest(indkey::int2[]) with ordinality as k (number, position), pg_attribute
    where indrelid = to_regclass(%(table)s) and attrelid = indrelid and attnum = number and position <= indnkeyatts
        and indisunique and indisvalid and indpred is null and indexprs is null
)
select coalesce(array_agg(attname::text) filter (where not is_forced), array_agg(attname::text))
from indexed group by indexrelid;

-- name: is_alone
-- Whether it is a table without children, and without triggers of users.
select exists (select from pg_class
    where oid = to_regclass(%(table)s) and relkind = 'r' and not relhassubclass
        and not exists (select from pg_trigger t where t.tgrelid = pg_class.oid and not tgisinternal));

-- name: refers_to_itself
-- Whether a foreign key of a table, or of its partitions, refers to it.
with family as (select coalesce(pg_partition_root(%(table)s::regclass), %(table)s::regclass) as root)
select exists (
    select from pg_constraint, family
    where contype = 'f' and coalesce(pg_partition_root(confrelid), confrelid) = root
    and coalesce(pg_partition_root(conrelid), conrelid) = root);

-- name: are_referred_to
-- Whether a foreign key of another table refers to one of some tables; partitions and children count as their table.
with recursive family (id) as (
    select to_regclass(name)::oid from unnest(%(tables)s::text[]) name
    union
    select inhrelid from family join pg_inherits on inhparent = id
)
select exists (select from pg_constraint where contype = 'f'
    and confrelid in (select id from family) and conrelid not in (select id from family));

-- name: references_among
-- Foreign keys from one of some tables to another one, by their numbers; partitions and children count as their table.
with recursive family (number, id) as (
    select number, to_regclass(name)::oid from unnest(%(tables)s::text[]) with ordinality given (name, number)
    union
    select number, inhrelid from family join pg_inherits on inhparent = id
)
select distinct child.number::int, parent.number::int
from pg_constraint
join family child on child.id = conrelid join family parent on parent.id = confrelid
where contype = 'f' and child.number <> parent.number
order by 1, 2;

-- name: columns_of_tables
-- Columns of some tables, as ev_extra1 names them; no row for a table that is not there.
select n.nspname || '.' || relname, attname::text
from pg_attribute join pg_class c on c.oid = attrelid join pg_namespace n on n.oid = relnamespace
where n.nspname || '.' || relname = any(%(tables)s) and attnum > 0 and not attisdropped
order by 1, attnum;

-- name: column_type
-- Schema, name and modifier of a column's type; no row if there is none.
select tn.nspname::text, typname::text, atttypmod
from pg_attribute join pg_type t on t.oid = atttypid join pg_namespace tn on tn.oid = typnamespace
join pg_class c on c.oid = attrelid join pg_namespace n on n.oid = relnamespace
where n.nspname = %(schema)s and relname = %(table)s and attname = %(column)s and attnum > 0 and not attisdropped;

-- name: type_as_sql
-- A type as SQL, by its schema, name and modifier; no row if there is none, or none for a column that somebody else asks
-- for: a composite would tie the column to a table.
with recursive wanted as (
    select t.oid from pg_type t join pg_namespace n on n.oid = typnamespace
    where nspname = %(schema)s and typname = %(name)s and has_type_privilege(t.oid, 'usage')
),
parts (type) as (
    select oid from wanted
    union select part from parts join pg_type on oid = type, unnest(array[typbasetype, typelem]) part
    where part <> 0 and (typtype = 'd' or typcategory = 'A'))
select format_type(oid, %(modifier)s) from wanted
where (select bool_and(typtype in ('b', 'd', 'e', 'r', 'm') and typcategory in (
    'A', 'B', 'D', 'E', 'G', 'I', 'N', 'R', 'S', 'T', 'U', 'V')) from parts join pg_type on oid = type);

-- name: table_width
-- How many columns a relation has ever had.
select relnatts::int4 from pg_class where oid = to_regclass(%(table)s);

-- name: day_after
-- The day that is so long after today, if it has a year of four digits.
select least((current_date + %(interval)s::interval)::date, date '9999-12-31');

-- name: has_partition_before
-- Whether there is a table that is named like a partition, and is of an earlier period than some order.
select exists (
    select from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = %(schema)s and c.relkind in ('r', 'p', 'f') and c.relname ~ %(pattern)s
      and regexp_replace(c.relname, %(pattern)s, %(order)s) collate "C" < %(before)s);

-- name: partitions_apart
-- Tables that are named like partitions of a table but are not its children: a template may create such. Those with a
-- comment that they are to be dropped are none, nor is what lacks the column of the time, if one is named.
select c.relname::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname = %(schema)s and c.relkind in ('r', 'p', 'f') and c.relname ~ %(pattern)s
  and not exists (
    select from pg_inherits where inhrelid = c.oid and inhparent = to_regclass(%(table)s))
  and not coalesce(obj_description(c.oid, 'pg_class') ~ %(mark)s, false)
  and (%(column)s = '' or exists (
    select from pg_attribute where attrelid = c.oid and attname = %(column)s and not attisdropped))
order by c.relname;

-- name: partition_inventory
-- The partitions of a table, at any depth; tables apart that are named like them, and have the column of the time if that
-- is known; and tables that were marked by a comment.
-- What is a child of other tables only is none of them. Of each: schema, name, pg_class.relkind, the table that it is a
-- child of (NULL: none), whether that is natively partitioned (if it is none: whether the table is, unless its partitions
-- stand alone), whether it is a child of a table of others, too, whether a default partition is among its children, whether
-- the detach of this one is pending, whether it is the default partition, whether it is marked, whether the role acts for
-- the owners of both, and its bounds: as text,
-- and in seconds, as moments of a time zone where they have none of their own. Bounds are those of a range of one date or
-- time, or of a number if there is a unit of such, and of the column of the time; if that is not known (an empty name), of
-- the first column by whose range the table is partitioned. They are those of the native partition, or of the only CHECK of
-- a child that names some; NULL if there are none. A CHECK that a child has from its parent is not of the child's period.
-- And the comment.
with recursive ranges (id, name, type) as (
    select partrelid, attname::text, atttypid
    from pg_partitioned_table join pg_attribute on attrelid = partrelid and attnum = partattrs[0]
    where partstrat = 'r' and partnatts = 1
        and (atttypid in ('date'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype)
            or (%(unit)s > 0 and atttypid = any('{int4,int8,numeric,float8}'::regtype[])))
),
children (id, parent, time) as (
    select inhrelid, inhparent, coalesce(nullif(%(column)s, ''), ranges.name)
    from pg_inherits left join ranges on ranges.id = inhparent where inhparent = to_regclass(%(table)s)
    union select i.inhrelid, i.inhparent, coalesce(children.time, ranges.name)
    from children join pg_inherits i on i.inhparent = children.id left join ranges on ranges.id = children.id
),
marked (id) as (
    select objoid from pg_description
    -- Most descriptions are of functions.
    where case when classoid = 'pg_class'::regclass and objsubid = 0 then description ~ %(mark)s end
),
found (id, parent, time) as (
    select id, parent, time from children
    union all select c.oid, null, null from pg_class c join pg_namespace n on n.oid = relnamespace
    where n.nspname = %(schema)s and relkind in ('r', 'p', 'f')
        and relname ~ %(pattern)s
        and not exists (select from pg_inherits where inhrelid = c.oid)
        and (%(column)s = '' or exists (
            select from pg_attribute where attrelid = c.oid and attname = %(column)s and not attisdropped))
    union all select id, null, null from marked where not exists (select from pg_inherits where inhrelid = id)
),
keyed as (
    select distinct on (f.id) f.id, f.parent, f.time, c.relname, n.nspname, c.relkind, c.relowner,
        pg_get_expr(c.relpartbound, 0) as bound,
        pn.nspname as parent_schema, p.relname as parent_name, p.relkind = 'p' as is_native, p.relowner as parent_owner,
        (select type from ranges where ranges.id = f.parent and ranges.name = f.time) as type
    from found f join pg_class c on c.oid = f.id join pg_namespace n on n.oid = c.relnamespace
    left join pg_class p on p.oid = f.parent left join pg_namespace pn on pn.oid = p.relnamespace
    order by f.id, f.parent
),
read as (
    select keyed.*, coalesce(native.type::regtype::text, checked.type)::regtype as read_as,
        coalesce(native.bounds, checked.bounds) as bounds
    from keyed
    left join lateral (
        select keyed.type, case when bound like 'FOR VALUES FROM (%%) TO (%%)' then array[
            btrim(split_part(split_part(bound, 'FROM (', 2), ') TO (', 1), $$'$$),
            btrim(rtrim(split_part(bound, ') TO (', 2), ')'), $$'$$)] end as bounds
        where is_native and keyed.type is not null
    ) native on true
    left join lateral (
        select min(bounds[3]) as type, array[min(bounds[2]), min(bounds[4])] as bounds
        from pg_constraint, regexp_match(pg_get_constraintdef(oid),
            $$^CHECK \(\(\(([^\s"]+|"(?:[^"]|"")+") >= '([^']*)'::(date|timestamp without time zone|timestamp with time zone)\)$$
            || $$ AND \(\1 < '([^']*)'::\3\)\)\)$$) as bounds
        where not is_native and conrelid = id and contype = 'c' and convalidated and coninhcount = 0
            and bounds[1] = quote_ident(time)
        having count(*) = 1
    ) checked on true
)
select nspname::text, relname::text, relkind::text, parent_schema::text, parent_name::text,
    coalesce(is_native, not %(alone)s and exists (
        select from pg_class where oid = to_regclass(%(table)s) and pg_class.relkind = 'p')),
    exists (select from pg_inherits where inhrelid = read.id and inhparent <> to_regclass(%(table)s)
        and inhparent not in (select id from children)),
    coalesce(bool_or(bound = 'DEFAULT') over (partition by parent), false),
    coalesce((select (to_jsonb(i) ->> 'inhdetachpending')::bool from pg_inherits i
        where inhrelid = id and inhparent = read.parent), false),
    coalesce(bound = 'DEFAULT', false), exists (select from marked where marked.id = read.id),
    pg_has_role(relowner, 'usage') and coalesce(pg_has_role(parent_owner, 'usage'), true),
    bounds[1], bounds[2],
    case when bounds[1] = 'MINVALUE' then '-Infinity' when bounds[1] = 'NaN' then 'Infinity'
        when read_as = 'timestamptz'::regtype then extract(epoch from bounds[1]::timestamptz)
        when read_as in ('date'::regtype, 'timestamp'::regtype)
            then extract(epoch from bounds[1]::timestamp at time zone %(zone)s)
        else bounds[1]::float8 / %(unit)s end::float8,
    case when bounds[2] in ('MAXVALUE', 'NaN') then 'Infinity'
        when read_as = 'timestamptz'::regtype then extract(epoch from bounds[2]::timestamptz)
        when read_as in ('date'::regtype, 'timestamp'::regtype)
            then extract(epoch from bounds[2]::timestamp at time zone %(zone)s)
        else bounds[2]::float8 / %(unit)s end::float8,
    obj_description(read.id, 'pg_class')
from read
order by nspname, relname;

-- name: dependants
-- What keeps a table and its partitions from being dropped, once it is no partition itself: views, foreign keys and what
-- else needs them. What is a part of them goes with them, and copies of a parent's foreign key with the detach.
with tree (id) as (
    select to_regclass(%(table)s)::oid union select relid::oid from pg_partition_tree(to_regclass(%(table)s))
),
needed (class, id) as (
    select 'pg_class'::regclass, id from tree
    union all select 'pg_type'::regclass, unnest(array[t.oid, typarray]) from tree join pg_type t on typrelid = id
    -- Sequences of its columns go with it.
    union all select 'pg_class'::regclass, objid from tree join pg_depend on refclassid = 'pg_class'::regclass and refobjid = id
        join pg_class s on classid = 'pg_class'::regclass and s.oid = objid and s.relkind = 'S' where deptype in ('a', 'i')
)
select distinct coalesce(
    (select pg_describe_object('pg_class'::regclass, ev_class, 0) from pg_rewrite r
        where d.classid = 'pg_rewrite'::regclass and r.oid = d.objid),
    pg_describe_object(d.classid, d.objid, 0))
from needed join pg_depend d on d.refclassid = class and d.refobjid = needed.id and d.deptype = 'n'
where not exists (
    select from pg_depend part join needed n on part.refclassid = n.class and part.refobjid = n.id
    where part.classid = d.classid and part.objid = d.objid and part.deptype <> 'n')
  and not exists (
    select from pg_constraint c
    where d.classid = 'pg_constraint'::regclass and c.oid = d.objid and c.conparentid <> 0)
order by 1;

-- name: marks
-- Tables with a comment that they are to be dropped, and what that says of them.
select nspname::text, relname::text, substring(description from %(mark)s)
from pg_description join pg_class c on c.oid = objoid join pg_namespace n on n.oid = relnamespace
where classoid = 'pg_class'::regclass and objsubid = 0 and description ~ %(mark)s;

-- name: has_versions
-- Whether each row of a table and its partitions tells which transaction has written it.
select bool_and(relkind in ('r', 'p') and coalesce(amname = 'heap', true))
from (select to_regclass(%(table)s)::oid union select relid::oid from pg_partition_tree(to_regclass(%(table)s))) tree (id)
join pg_class c on c.oid = id left join pg_am a on a.oid = relam;

-- name: see_one_moment
-- Let all statements of the transaction see what is committed now, and what they do themselves.
set transaction isolation level repeatable read;

-- name: names_taken
-- Of some tables, by their quoted names, what has a name that another relation or type has in a schema: the table, one of its
-- indexes, or a sequence of its own. Each with the table, pg_class.relkind, schema and name.
select table_name, r.relkind::text, n.nspname::text, r.relname::text
from unnest(%(tables)s::text[]) wanted (table_name)
join lateral (
    select to_regclass(table_name)::oid as id
    union select indexrelid from pg_index where indrelid = to_regclass(table_name)
    union select objid from pg_depend
    where refclassid = 'pg_class'::regclass and refobjid = to_regclass(table_name) and refobjsubid > 0
        and classid = 'pg_class'::regclass and deptype in ('a', 'i')) its on true
join pg_class r on r.oid = its.id join pg_namespace n on n.oid = r.relnamespace
join pg_namespace there on there.nspname = %(schema)s and there.oid <> n.oid
where exists (select from pg_class where relnamespace = there.oid and relname = r.relname)
    or exists (select from pg_type where typnamespace = there.oid and typname = r.relname)
order by r.relname;

-- name: is_taken
-- Whether a relation or type in one of some schemas has a name.
select exists (
    select from pg_namespace n where nspname = any(%(schemas)s) and (
        exists (select from pg_class where relnamespace = n.oid and relname = %(wanted)s)
        or exists (select from pg_type where typnamespace = n.oid and typname = %(wanted)s)));

-- name: table_sizes
-- Of some tables, by their quoted names: rows as the planner estimates them (NULL: not known), and bytes on disk with
-- indexes; of a partitioned one, those of all its partitions.
select name, sum(reltuples) filter (where relkind <> 'p' and reltuples >= 0)::float8,
    sum(pg_total_relation_size(c.oid))::int8
from unnest(%(tables)s::text[]) wanted (name)
join lateral (
    select to_regclass(name)::oid as id union select relid from pg_partition_tree(to_regclass(name))) its on true
join pg_class c on c.oid = its.id
group by name;

-- name: moments_of
-- Times of a time zone, each with its moment in seconds.
select time, extract(epoch from time::timestamp at time zone %(zone)s)::float8
from unnest(%(times)s::text[]) as wanted (time);

-- name: target_clock
-- The time here, in seconds.
select extract(epoch from clock_timestamp())::float8;

-- name: local_time
-- A moment as a time of a time zone.
select to_char(to_timestamp(%(moment)s) at time zone %(zone)s, 'YYYY-MM-DD HH24:MI:SS');

-- name: moment_before
-- The moment that is so long before another one, in seconds: months and days are those of the calendar of a time zone, hours
-- have 60 minutes, whatever clocks show.
select extract(epoch from case when days = interval '0' then moment
    else (moment at time zone %(zone)s - days) at time zone %(zone)s end - (whole - days))::float8
from (select to_timestamp(%(moment)s), %(interval)s::interval, date_trunc('day', %(interval)s::interval)) as given (
    moment, whole, days);

-- name: is_over
-- Whether a moment in seconds, or if that is NULL a time of a time zone, is so long before a moment, as by moment_before, or
-- before now if that is earlier.
select coalesce(to_timestamp(%(until)s), %(end)s::timestamp at time zone %(zone)s)
    <= case when days = interval '0' then moment
        else (moment at time zone %(zone)s - days) at time zone %(zone)s end - (whole - days)
from (
    select least(now(), to_timestamp(%(moment)s)), %(interval)s::interval, date_trunc('day', %(interval)s::interval)
) as given (moment, whole, days);

-- name: release_session_lock
-- Give a lock of the session back.
select pg_advisory_unlock(%(key)s);

-- name: wait_shortly
-- Let a lock be waited for no longer than that, until the transaction ends: whoever reads the table waits behind it.
set local lock_timeout = '100ms';

-- name: be_brief
-- Let a look at a database end soon, even if something blocks it.
set local statement_timeout = '30s';
set local lock_timeout = '5s';

-- name: server_state
-- Version, role, whether the server is a standby, whether transactions are read-only by default, whether the role
-- may create schemas and temporary tables in the database, the database, the server's time, its time zone, and whether
-- its sessions act as a replica's.
select current_setting('server_version'), current_user::text, pg_is_in_recovery(),
    current_setting('default_transaction_read_only')::bool,
    has_database_privilege(current_database(), 'create'), has_database_privilege(current_database(), 'temp'),
    current_database()::text, now()::text, current_setting('TimeZone'), current_setting('session_replication_role');

-- name: excess
-- What the role is or may do that no job needs, in words. Whoever loads tables may have to pass by their row security;
-- whoever has a schema to make may make schemas. A role that the job's could become counts as its own.
select case when rolsuper then array['is a superuser'] else array_remove(array[
        case when rolcreaterole then 'may create roles' end,
        case when rolcreatedb then 'may create databases' end,
        case when rolreplication then 'may replicate' end,
        case when rolbypassrls and not %(loads)s then 'passes by row security' end,
        case when pg_has_role(datdba, 'member') then 'owns the database'
            when has_database_privilege(d.oid, 'create') and not %(makes)s then 'may create schemas' end
    ] || array(
        select 'is a member of ' || quote_ident(other.rolname) from pg_roles other
        where other.rolname <> current_user and pg_has_role(other.oid, 'member') and (
            other.rolsuper or other.rolname in (
                'pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files', 'pg_read_all_data',
                'pg_write_all_data', 'pg_maintain', 'pg_signal_backend', 'pg_create_subscription')
            or other.rolname ~ '^pgq(ue)?_(writer|admin)$')
        order by other.rolname), null) end
from pg_roles, pg_database d where rolname = current_user and datname = current_database();

-- name: schema_state
-- Whether the role may use a schema, may create tables in it, and acts for its owner; no row if there is none.
select has_schema_privilege(oid, 'usage'), has_schema_privilege(oid, 'create'), pg_has_role(nspowner, 'usage')
from pg_namespace where nspname = %(schema)s;

-- name: table_state
-- What a relation is, whether it has children, whether the role acts for its owner, whether row security holds for the
-- role, and which of some rights the role lacks; a right to some of the columns counts. No row if there is no such
-- relation.
select relkind::text, exists (select from pg_inherits where inhparent = c.oid), pg_has_role(relowner, 'usage'),
    row_security_active(c.oid),
    array(
        select r from unnest(%(rights)s::text[]) with ordinality wanted(r, n)
        where not case when r in ('insert', 'select', 'update') then has_any_column_privilege(c.oid, r)
            else has_table_privilege(c.oid, r) end
        order by n)
from pg_class c where oid = to_regclass(%(table)s);

-- name: closed_partitions
-- Partitions and children of a table, at any depth, to which the role lacks some rights, and these, as `table_state` does.
-- A default partition is none: its rows go through the table.
with recursive tree (id) as (
    select inhrelid from pg_inherits where inhparent = to_regclass(%(table)s)
    union select inhrelid from tree join pg_inherits on inhparent = id
)
select nspname::text, relname::text, denied
from tree join pg_class c on c.oid = id join pg_namespace n on n.oid = relnamespace, lateral (
    select array_agg(r order by r) from unnest(%(rights)s::text[]) wanted (r)
    where not case when r in ('insert', 'select', 'update') then has_any_column_privilege(c.oid, r)
        else has_table_privilege(c.oid, r) end
) lacks (denied)
where denied is not null and coalesce(pg_get_expr(relpartbound, 0), '') <> 'DEFAULT'
order by relname collate "C" desc;

-- name: newest_partition
-- The newest table that is named like a partition of a table, by its name, and whether it is its child.
select c.relname::text, exists (select from pg_inherits where inhrelid = c.oid and inhparent = to_regclass(%(table)s))
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname = %(schema)s and c.relkind in ('r', 'p', 'f') and c.relname ~ %(pattern)s
order by regexp_replace(c.relname, %(pattern)s, %(order)s) collate "C" desc limit 1;

-- name: some_tables
-- What rows can be put into, of users' schemas and without partitions and children; the given schema's come first.
select nspname::text, relname::text from pg_class c join pg_namespace n on n.oid = relnamespace
where relkind in ('r', 'p', 'v', 'f') and not exists (select from pg_inherits where inhrelid = c.oid)
  and nspname !~ '^pg_' and nspname not in ('information_schema', 'pgq', 'pgque', 'pgq_ext', 'tdsup')
order by nspname <> %(schema)s, 1, 2
limit 10000;

-- name: pgq_ext_runs_as_caller
-- Whether the functions of pgq_ext need the caller's own rights to its table.
select not coalesce(bool_or(prosecdef), false) from pg_proc join pg_namespace n on n.oid = pronamespace
where nspname = 'pgq_ext' and proname = 'set_last_tick';

-- name: denied_functions
-- Which of some functions do not exist, or may not be run by the role.
select f from unnest(%(functions)s::text[]) f
where not coalesce(has_function_privilege(to_regprocedure(f)::oid, 'execute'), false);

-- name: absent_functions
-- Which of some functions do not exist.
select f from unnest(%(functions)s::text[]) f where to_regprocedure(f) is null;

-- name: helpful_role
-- A role by its name, if it may run some functions and read some tables, and ours is no member of it.
select rolname::text from pg_roles where rolname = %(role)s and not pg_has_role(oid, 'usage')
    and not exists (
        select from unnest(%(functions)s::text[]) f where not has_function_privilege(pg_roles.oid, f, 'execute'))
    and not exists (
        select from unnest(%(tables)s::text[]) t where not has_table_privilege(pg_roles.oid, t, 'select'));

-- name: denied_tables
-- Tables of PgQ that the role may not read.
select t from unnest('{ {pgq}.queue, {pgq}.tick, {pgq}.subscription, {pgq}.consumer }'::text[]) t
where not has_table_privilege(t, 'select');

-- name: denied_events
-- Tables of a queue's events that the role may not read: the parent, which the check reads, and its children.
select c.oid::regclass::text from pg_class c
where not has_table_privilege(c.oid, 'select') and (
    c.oid = to_regclass(%(table)s)
    or c.oid in (select inhrelid from pg_inherits where inhparent = to_regclass(%(table)s)))
order by 1;

-- name: is_pgq_without_c
-- Whether PgQ's triggers are not written in C.
select exists (
    select from pg_proc where pronamespace = to_regnamespace('{pgq}') and proname = 'logutriga'
        and prolang = (select oid from pg_language where lanname = 'plpgsql'));

-- name: pgq_version
-- Version of the extension; no row if PgQ was installed otherwise.
select extversion from pg_extension where extname = '{pgq}';

-- name: queue_state
-- The table of a queue's events, its newest tick, and how old that is. No row if there is no such queue.
select queue_data_pfx, tick_id, date_trunc('second', now() - tick_time)::text
from {pgq}.queue left join {pgq}.tick on tick_queue = queue_id
where queue_name = %(queue)s
order by tick_id desc nulls last limit 1;

-- name: feeding_triggers
-- Tables with triggers that put events into the queue, as ev_extra1 names them, with the combined
-- pg_trigger.tgtype of the triggers; NULL if all are disabled.
select n.nspname || '.' || c.relname, bit_or(t.tgtype) filter (where t.tgenabled <> 'D')
from pg_trigger t
join pg_proc p on p.oid = t.tgfoid join pg_namespace pn on pn.oid = p.pronamespace
join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
where pn.nspname = '{pgq}' and not t.tgisinternal
  and split_part(encode(t.tgargs, 'escape'), '\000', 1) = %(queue)s
group by 1 order by 1;

-- name: consumer_state
-- Subscription, last tick, end of the open batch, age of the last tick, events that came after it, what was visible at
-- it, and the times of both ticks; no row if the consumer is not registered.
select sub_id, sub_last_tick, sub_next_tick, date_trunc('second', now() - last.tick_time)::text,
    (select max(tick_event_seq) from {pgq}.tick where tick_queue = queue_id) - last.tick_event_seq,
    last.tick_snapshot::text, extract(epoch from last.tick_time)::float8, extract(epoch from next.tick_time)::float8
from {pgq}.subscription
join {pgq}.queue on queue_id = sub_queue join {pgq}.consumer on co_id = sub_consumer
left join {pgq}.tick last on last.tick_queue = sub_queue and last.tick_id = sub_last_tick
left join {pgq}.tick next on next.tick_queue = sub_queue and next.tick_id = sub_next_tick
where queue_name = %(queue)s and co_name = %(consumer)s;

-- name: primary_key
-- Columns of a table's primary key, in the key's order.
select attname::text from pg_index join pg_attribute on attrelid = indrelid and attnum = any(indkey)
join pg_class c on c.oid = indrelid join pg_namespace n on n.oid = relnamespace
where nspname = %(schema)s and relname = %(table)s and indisprimary
order by array_position(indkey::int2[], attnum);

-- name: pending_events
-- The first events, of a subscription or of all, that were not visible at a tick; uses the index on ev_txid, whose type is {txid}.
select ev_id, ev_time, ev_txid, ev_retry, ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4
from {table}
where ev_txid >= txid_snapshot_xmin(%(seen)s::txid_snapshot)::text::{txid}
  and not txid_visible_in_snapshot(ev_txid::text::int8, %(seen)s::txid_snapshot)
  and (ev_owner is null or ev_owner = %(subscription)s)
  and (%(tables)s::text[] is null or ev_extra1 = any(%(tables)s::text[]))
  and coalesce(octet_length(ev_data), 0) <= %(longest)s
order by ev_txid, ev_id limit %(count)s;

-- name: newest_events
-- The newest events of a queue, newest first.
select ev_id, ev_time, ev_txid, ev_retry, ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4
from {table}
where ev_owner is null
  and (%(tables)s::text[] is null or ev_extra1 = any(%(tables)s::text[]))
  and coalesce(octet_length(ev_data), 0) <= %(longest)s
order by ev_txid desc, ev_id desc limit %(count)s;

-- name: try_session_lock
-- Take a lock until the session ends, if nobody else has it; whether it was taken.
select pg_try_advisory_lock(%(key)s);

-- name: tick
-- Make the ticks that are due; how many.
select {pgq}.ticker();

-- name: queues_to_tick
-- How many queues are ticked by whoever ticks, and how many are not.
select count(*) filter (where is_ours), count(*) filter (where not is_ours)
from {pgq}.queue, lateral (select not queue_external_ticker and not queue_ticker_paused as is_ours) judged;

-- name: retry_events
-- Put some events that are due to be tried again back into their queues; how many.
select {pgq}.maint_retry_events();

-- name: has_maintenance_list
-- Whether PgQ itself tells what is to be done.
select to_regprocedure('{pgq}.maint_operations()') is not null;

-- name: maintenance
-- What PgQ wants to be done: functions, each with its argument, NULL if it has none; vacuum is a statement, with its table.
select func_name, func_arg from {pgq}.maint_operations();

-- name: maintenance_without_list
-- The same of a PgQ that does not tell. The second step of rotations is a transaction after those of the first.
select name, argument from (
    select 1, '{pgq}.maint_rotate_tables_step1', queue_name from {pgq}.queue
    union all select 2, '{pgq}.maint_rotate_tables_step2', null
    union all select 3, 'vacuum', name from {pgq}.maint_tables_to_vacuum() as tables (name)
) as work (step, name, argument) order by step, argument;

-- name: rotated_here
-- How many queues this transaction has given another event table.
select count(*) from {pgq}.queue where queue_switch_step1::text = txid_current_if_assigned()::text;
