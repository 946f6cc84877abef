-- A stand-in for pgq_ext, which has no package: the part of its interface that positions need.

create schema pgq_ext;

create table pgq_ext.completed_tick (
    consumer_id text not null,
    subconsumer_id text not null,
    last_tick_id bigint not null,
    primary key (consumer_id, subconsumer_id)
);

create function pgq_ext.get_last_tick(a_consumer text, a_subconsumer text) returns bigint language sql as $$
    select last_tick_id from pgq_ext.completed_tick where consumer_id = $1 and subconsumer_id = $2
$$;

create function pgq_ext.get_last_tick(a_consumer text) returns bigint language sql as $$
    select pgq_ext.get_last_tick($1, '')
$$;

create function pgq_ext.set_last_tick(a_consumer text, a_subconsumer text, a_tick_id bigint) returns integer
language plpgsql as $$
begin
    if a_tick_id is null then
        delete from pgq_ext.completed_tick where consumer_id = a_consumer and subconsumer_id = a_subconsumer;
    else
        update pgq_ext.completed_tick set last_tick_id = a_tick_id
        where consumer_id = a_consumer and subconsumer_id = a_subconsumer;
        if not found then
            insert into pgq_ext.completed_tick (consumer_id, subconsumer_id, last_tick_id)
            values (a_consumer, a_subconsumer, a_tick_id);
        end if;
    end if;
    return 1;
end
$$;

create function pgq_ext.set_last_tick(a_consumer text, a_tick_id bigint) returns integer language sql as $$
    select pgq_ext.set_last_tick($1, '', $2)
$$;
