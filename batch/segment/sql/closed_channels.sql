-- closed_channels: for whom of all who are in a segment the export gate opens which
-- channels, and what they ordered in 90 days. A person's channels are a bit each.
-- One row per distinct set of open channels. Reads crowds, kind_cases, export_verdicts,
-- channels.
create or replace table closed_channels as

with places as (
    select channel, row_number() over (order by channel) - 1 as place
    from channels
),

opening as (
    select c.kind, c.segments, 1::bigint << p.place as open
    from kind_cases as c
    join export_verdicts as v using (case_no)
    join places as p using (channel)
    where v.allowed and not v.small
),

opened as (
    select w.persons, w.buyers, w.net_cents, coalesce(bit_or(o.open), 0) as open
    from crowds as w
    left join opening as o on o.kind = w.kind and bit_count(w.segments & o.segments) > 0
    where w.segments is not null
    group by w.segments, w.value_tier, w.daypart, w.kind, w.persons, w.buyers, w.net_cents
),

counted as (
    select open, sum(persons)::bigint as persons, sum(buyers)::bigint as buyers, sum(net_cents)::bigint as net_cents
    from opened
    group by open
)

select
    list_transform(
        list_filter(named.channels, lambda c: (counted.open >> c.place) & 1 = 1), lambda c: c.channel
    ) as open_channels,
    persons, buyers, net_cents
from counted
cross join (select coalesce(list({channel: channel, place: place} order by place), []) as channels from places) as named
order by open_channels;
