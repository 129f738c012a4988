-- groups: what becomes of each segment on each channel. A group of fewer than k
-- admitted rows is small, and then the gate refuses every row of it (EXP-07).
-- One row per segment and channel. Reads segment_names, channels, members, case_rows,
-- export_verdicts.
create or replace table groups as

with sizes as (
    select segment, count(*) as members
    from members
    group by segment
),

admitted as (
    select c.segment, c.channel, sum(c.rows)::bigint as admitted
    from case_rows as c
    join export_verdicts as v using (case_no)
    where v.allowed and not v.small
    group by c.segment, c.channel
)

select
    n.segment,
    n.place,
    c.channel,
    coalesce(s.members, 0) as members,
    coalesce(a.admitted, 0) as admitted,
    coalesce(a.admitted, 0) < getvariable('k') as small,
    coalesce(a.admitted, 0) >= getvariable('k') as published
from segment_names as n
cross join channels as c
left join sizes as s using (segment)
left join admitted as a on a.segment = n.segment and a.channel = c.channel;
