-- Dead letters: events that could not be loaded, in tdsup.dead_letter of the target.

-- name: list_letters
-- Dead letters of a consumer, all or those with the given ids, without their data; some of the first, or all (NULL).
select id, ev_id, died_at::timestamptz(0)::text, ev_type, coalesce(ev_extra1, ''), coalesce(sqlstate, ''), reason
from tdsup.dead_letter
where queue_name = %(queue)s and consumer_name = %(consumer)s and (%(ids)s is null or id = any(%(ids)s))
order by ev_id, id limit %(limit)s;

-- name: letters_by_reason
-- Dead letters of a consumer by what they have in common: how many, the first and the last id, table, SQLSTATE, and the
-- reason without its values. The most frequent come first.
select count(*), min(id), max(id), coalesce(ev_extra1, ''), coalesce(sqlstate, ''),
    regexp_replace(reason, '"[^"]*"|''[^'']*''|\m\d[\d.:-]*', '…', 'g') as alike
from tdsup.dead_letter
where queue_name = %(queue)s and consumer_name = %(consumer)s
group by 4, 5, alike order by 1 desc, 2 limit %(limit)s;

-- name: count_letters
-- How many dead letters a consumer has.
select count(*) from tdsup.dead_letter where queue_name = %(queue)s and consumer_name = %(consumer)s;

-- name: count_letters_of_each
-- How many dead letters each of some consumers has.
select queue, consumer, (select count(*) from tdsup.dead_letter where queue_name = queue and consumer_name = consumer)
from unnest(%(queues)s::text[], %(consumers)s::text[]) known (queue, consumer);

-- name: show_letter
-- Everything about one dead letter but its queue and consumer.
select id, died_at::text, reason, sqlstate, ev_id, ev_time::text, ev_txid, ev_retry, ev_type, ev_data,
    ev_extra1, ev_extra2, ev_extra3, ev_extra4, event is not null as inexact
from tdsup.dead_letter
where queue_name = %(queue)s and consumer_name = %(consumer)s and id = %(id)s;

-- name: take_letter
-- When a dead letter died in seconds since 1970, and its event as the source wrote it, locked until the transaction ends;
-- no row if it is gone. The offset of its time is written as PostgreSQL does: without minutes and seconds that are 0.
select extract(epoch from died_at)::float8, event, ev_id::text, case when isfinite(ev_time) then
        (ev_time at time zone %(zone)s)::text || case when zone_offset < '0' then '-' else '+' end
            || regexp_replace(to_char(greatest(zone_offset, -zone_offset), 'HH24:MI:SS'), '(:00)?:00$', '')
        else ev_time::text end,
    ev_txid::text, ev_retry::text, ev_type, ev_data,
    ev_extra1, ev_extra2, ev_extra3, ev_extra4
from tdsup.dead_letter cross join lateral (
    select case when isfinite(ev_time) then (ev_time at time zone %(zone)s) - (ev_time at time zone 'UTC') end
) zones (zone_offset)
where queue_name = %(queue)s and consumer_name = %(consumer)s and id = %(id)s
for update of dead_letter;

-- name: explain_letter
-- Keep a dead letter with a new reason.
update tdsup.dead_letter set reason = %(reason)s, sqlstate = %(sqlstate)s where id = %(id)s;

-- name: delete_letters
-- Delete dead letters of a consumer, all or those with the given ids.
delete from tdsup.dead_letter
where queue_name = %(queue)s and consumer_name = %(consumer)s and (%(ids)s is null or id = any(%(ids)s))
returning id;
