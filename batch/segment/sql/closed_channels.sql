-- closed_channels: for whom of all who are in a segment the export gate opens which
-- channels, and what they ordered in 90 days.
-- One row per distinct set of open channels. Reads members, candidates, export_verdicts,
-- features.
create or replace table closed_channels as

with opened as (
    select c.person, list(distinct c.channel order by c.channel) as channels
    from candidates as c
    join export_verdicts as v using (case_no)
    where v.allowed and not v.small
    group by c.person
)

select
    coalesce(o.channels, []) as open_channels,
    count(*) as persons,
    count(*) filter (where f.orders_90d > 0) as buyers,
    coalesce(sum(f.net_cents_90d) filter (where f.orders_90d > 0), 0)::bigint as net_cents
from (select distinct person from members) as m
join features as f using (person)
left join opened as o using (person)
group by coalesce(o.channels, [])
order by open_channels;
