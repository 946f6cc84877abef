-- Schema tdsup of the target, step by step. Each step can be run again.

-- name: ledger_facts
-- What there is of the ledger: pgq_ext, schema tdsup, its tables of positions, dead letters and consumers, the
-- positions' times; and whether the role may make schemas in the database, and may use schema tdsup and make tables
-- there, and the table of consumers. Asks catalogs, as to_regclass fails where the role may not use the schema.
with tables (name, id) as (
    select relname, c.oid from pg_class c join pg_namespace n on n.oid = relnamespace
    where nspname = 'tdsup' and relname in ('completed_tick', 'dead_letter', 'consumer')
)
select exists (
        select from pg_proc join pg_namespace n on n.oid = pronamespace
        where nspname = 'pgq_ext' and proname = 'set_last_tick'),
    exists (select from pg_namespace where nspname = 'tdsup'),
    exists (select from tables where name = 'completed_tick'),
    exists (select from tables where name = 'dead_letter'),
    exists (select from tables where name = 'consumer'),
    exists (select from tables join pg_attribute on attrelid = id
        where name = 'completed_tick' and attname = 'last_tick_time'),
    has_database_privilege(current_database(), 'create'),
    (select coalesce(bool_and(has_schema_privilege(oid, 'usage')), false) from pg_namespace where nspname = 'tdsup'),
    (select coalesce(bool_and(has_schema_privilege(oid, 'create')), false) from pg_namespace where nspname = 'tdsup'),
    (select coalesce(bool_and(
        has_table_privilege(id, 'select') and has_table_privilege(id, 'insert') and has_table_privilege(id, 'update')
    ), false) from tables where name = 'consumer');

-- name: strangers
-- Objects of schemas tdsup and pgq_ext whose owner is neither our role nor the database's owner nor a superuser, with
-- their kind and owner, and functions of their triggers likewise: what a stranger made would run with our rights. And
-- the database's owner.
with places (id, name) as (
    select oid, nspname from pg_namespace where nspname in ('tdsup', 'pgq_ext')
),
parts (class, id, place, name) as (
    -- By an index, unlike the catalogs themselves. What only mentions a schema is not a part of it.
    select classid, objid, places.id, name
    from places join pg_depend on refclassid = 'pg_namespace'::regclass and refobjid = places.id
),
relations (id, owner) as (
    select oid, relowner from parts join pg_class on oid = id and relnamespace = place
    where class = 'pg_class'::regclass and relkind in ('r', 'p', 'v', 'm', 'f')
),
functions (id) as (
    select id from parts join pg_proc on oid = id and pronamespace = place
    where class = 'pg_proc'::regclass and (name = 'tdsup' or proname in ('get_last_tick', 'set_last_tick'))
    union select tgfoid from relations join pg_trigger on tgrelid = id where not tgisinternal
),
objects (kind, id, owner) as (
    select 'schema', oid, nspowner from places join pg_namespace on oid = id
    union all select 'table', id, owner from relations
    union all select 'function', oid, proowner from functions join pg_proc on oid = id
)
select kind,
    case kind when 'schema' then id::regnamespace::text when 'table' then id::regclass::text
        else id::regprocedure::text end as name,
    rolname::text, pg_get_userbyid(datdba)::text
from objects join pg_roles on pg_roles.oid = owner join pg_database on datname = current_database()
where not rolsuper and rolname not in (current_user, 'pg_database_owner') and owner <> datdba
order by kind = 'schema' desc, name;

-- name: recorded_version
-- The version of schema tdsup, as it says itself.
select max(version) from tdsup.schema_version;

-- name: make_schema
-- The schema itself.
create schema if not exists tdsup;
comment on schema tdsup is 'What tdsup keeps of its consumers: positions, owners, counters, dead letters';

-- name: make_positions
-- Version 1: positions.
create table if not exists tdsup.completed_tick (
    queue_name text not null,
    consumer_name text not null,
    last_tick_id bigint not null,
    last_tick_time float8,
    primary key (queue_name, consumer_name)
);
alter table tdsup.completed_tick add column if not exists last_tick_time float8;
comment on table tdsup.completed_tick is 'Last tick that was applied here; see pgq_ext for its meaning';
comment on column tdsup.completed_tick.last_tick_time is 'Time of that tick, in seconds since 1970';

-- name: make_dead_letters
-- Version 1: dead letters.
create table if not exists tdsup.dead_letter (
    id bigint generated always as identity primary key,
    queue_name text not null,
    consumer_name text not null,
    died_at timestamptz not null default now(),
    reason text not null,
    sqlstate text,
    ev_id bigint not null,
    ev_time timestamptz,
    ev_txid bigint,
    ev_retry integer,
    ev_type text,
    ev_data text,
    ev_extra1 text,
    ev_extra2 text,
    ev_extra3 text,
    ev_extra4 text,
    event bytea
);
create index if not exists dead_letter_consumer on tdsup.dead_letter (queue_name, consumer_name, id);
comment on table tdsup.dead_letter is 'Events that could not be loaded, whole, and why; see tdsup dead-letters';
comment on column tdsup.dead_letter.event is
    'The event as COPY wrote it, where the columns cannot hold it as it is (their bytes are shown as \x..)';

-- name: make_consumers
-- Version 2: owners, sources and counters of consumers, and the version itself.
create table if not exists tdsup.consumer (
    queue_name text not null,
    consumer_name text not null,
    stored_in text not null check (stored_in in ('pgq_ext', 'own')),
    last_tick_id bigint,
    last_tick_time float8,
    source_cluster bigint,
    source_database text,
    epoch bigint not null default 0,
    owner text,
    host text,
    target_pid integer,
    target_start timestamptz,
    source_pid integer,
    source_start timestamptz,
    next_try timestamptz,
    paused text,
    blocked text,
    counters jsonb not null default '{}',
    row_mode jsonb,
    primary key (queue_name, consumer_name)
) with (fillfactor = 50);
create unique index if not exists consumer_in_pgq_ext on tdsup.consumer (consumer_name) where stored_in = 'pgq_ext';
comment on table tdsup.consumer is 'Who works for a consumer, from which source, and what it has done in all';
comment on column tdsup.consumer.stored_in is 'Where its position is: in pgq_ext, or in tdsup.completed_tick (own)';
comment on column tdsup.consumer.last_tick_id is 'With pgq_ext: the tick that last_tick_time belongs to';
comment on column tdsup.consumer.source_cluster is 'pg_control_system().system_identifier of the source';
comment on column tdsup.consumer.epoch is 'Counts the owners; each new one takes the next';
comment on column tdsup.consumer.owner is 'Identity of the process that works; the end of its application_name';
comment on column tdsup.consumer.row_mode is 'The unique indexes by which row_mode = auto has chosen';
comment on column tdsup.consumer.next_try is 'When an owner without sessions comes back';
create table if not exists tdsup.schema_version (
    version integer primary key,
    made_at timestamptz not null default now(),
    made_by text not null default session_user
);
insert into tdsup.schema_version (version) values (2) on conflict do nothing;
do $$
declare
    role_name text;
begin
    -- Whoever may write positions may be the owner of a consumer too.
    for role_name in
        select distinct quote_ident(grantee) from information_schema.table_privileges
        where table_schema = 'tdsup' and table_name = 'completed_tick' and privilege_type = 'UPDATE'
            and grantee not in (current_user, 'PUBLIC')
    loop
        execute 'grant select, insert, update, delete on tdsup.consumer to ' || role_name;
    end loop;
end
$$;
comment on table tdsup.schema_version is 'Versions that schema tdsup has had';
