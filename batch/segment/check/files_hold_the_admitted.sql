-- A segment's file holds exactly the rows that the gate admitted, each key once.
with admitted as (
    select segment, channel, count(*) as rows
    from exports
    group by segment, channel
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
