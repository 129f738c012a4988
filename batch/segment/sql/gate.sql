-- gate(purpose's bit): each event stored for the purpose with its case as it is
-- tonight: the case of the day with state, age and tag of now (BAT-01, BAT-03).
-- A grant that began after the event does not cover it (BAT-02). Events that now
-- reveal a special category are special, whatever they were at ingest (SPC-01).
-- One row per event. Reads events, ingest_cases, standings_now, subjects_now,
-- product_tags, category_tags.
create or replace macro gate(purpose_bit) as table

with stored as not materialized ( -- else every field of every event is copied
    select *, bit_count(purposes & ((1::bigint << purpose_bit::bigint) - 1))::bigint + 1 as place
    from events
    where (purposes >> purpose_bit::bigint) & 1 = 1
),

lines as (
    select subject, message_key, unnest(items).product_id as product_id
    from stored
    where len(items) > 0
),

line_tags as (
    select l.subject, l.message_key, bit_or(t.tags) as tags
    from lines as l
    join product_tags as t using (product_id)
    group by l.subject, l.message_key
),

facts as (
    select
        e.* exclude (purposes, cases, keeps, policy, bucket, place),
        e.cases[e.place] as case_id,
        e.keeps[e.place] as kept,
        c.tag as ingest_tag,
        c.age as ingest_age,
        c.gpc,
        c.dnt,
        coalesce(p.tags, 0) | coalesce(g.tags, 0) | coalesce(l.tags, 0) as tags,
        least(e.occurred_ms, e.received_ms) as at_ms,
        s.status,
        s.since_ms,
        coalesce(u.restricted, false) as restricted,
        u.age,
        u.special_since,
        u.special_all_since
    from stored as e
    left join ingest_cases as c on c.case_id = e.cases[e.place]
    left join standings_now as s on s.subject = e.subject and s.bit = purpose_bit
    left join subjects_now as u on u.subject = e.subject
    left join product_tags as p on p.product_id = e.product_id
    left join category_tags as g on g.category = e.category
    left join line_tags as l on l.subject = e.subject and l.message_key = e.message_key
)

select
    * exclude (ingest_tag, ingest_age, tags, at_ms, status, since_ms, restricted, age, special_since, special_all_since),
    case
        when restricted then 'restricted'
        when status in ('given', 'renewed') and since_ms > at_ms then 'before_grant'
        when status in ('requested', 'request_deferred') then 'unknown'
        else coalesce(status, 'unknown')
    end as state,
    case
        when ingest_tag = 'special' then 'special'
        when tags = 0 and ingest_tag = 'none' then 'none'
        when tags <> 0 and list_bool_and(list_transform(range(8), lambda i:
            (tags >> i) & 1 = 0 or coalesce(special_since[i + 1] <= at_ms, false))) then 'special_explicit'
        when tags = 0 and special_all_since <= at_ms then 'special_explicit'
        else 'special'
    end as tag,
    coalesce(nullif(age, ''), ingest_age) as age
from facts;
