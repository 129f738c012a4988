-- A segment's file holds exactly the rows that the gate admitted, each key once.
with alike as (
    select channel, segments, count(*)::bigint as rows
    from exports
    group by channel, segments
),

admitted as (
    select n.segment, a.channel, sum(a.rows)::bigint as rows
    from alike as a
    join segment_names as n on get_bit(a.segments, n.place) = 1
    group by n.segment, a.channel
)

select
    coalesce(w.segment, a.segment) as segment,
    coalesce(w.channel, a.channel) as channel,
    w.rows as written,
    w.keys,
    a.rows as admitted
from (from written where kind = 'segment') as w
full join admitted as a using (segment, channel)
where w.rows is distinct from a.rows or w.keys is distinct from a.rows
order by segment, channel;
