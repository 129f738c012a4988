-- closed_channels: for whom of all who are in a segment the export gate opens which
-- channels, and what they ordered in 90 days. A person's channels are a bit each.
-- One row per distinct set of open channels. Reads memberships, candidates, export_verdicts,
-- features, channels.
create or replace table closed_channels as

with places as (
    select channel, row_number() over (order by channel) - 1 as place
    from channels
),

opened as (
    select c.person, bit_or(1::bigint << p.place) as open
    from candidates as c
    join export_verdicts as v using (case_no)
    join places as p using (channel)
    where v.allowed and not v.small
    group by c.person
),

counted as (
    select
        coalesce(o.open, 0) as open,
        count(*) as persons,
        count(*) filter (where f.orders_90d > 0) as buyers,
        coalesce(sum(f.net_cents_90d) filter (where f.orders_90d > 0), 0)::bigint as net_cents
    from memberships as m
    join features as f using (person)
    left join opened as o using (person)
    group by coalesce(o.open, 0)
)

select
    list_transform(
        list_filter(named.channels, lambda c: (counted.open >> c.place) & 1 = 1), lambda c: c.channel
    ) as open_channels,
    persons, buyers, net_cents
from counted
cross join (select coalesce(list({channel: channel, place: place} order by place), []) as channels from places) as named
order by open_channels;
