-- No exported row without a member, a published group and an admitting verdict of its
-- own case (EXP-01).
with belonging as (
    select m.person, bitstring_agg(n.place, 0, getvariable('last_place')) as segments
    from members as m
    join segment_names as n using (segment)
    group by m.person
),

admitted as (
    select c.channel, c.person, c.segments & b.segments as segments
    from candidates as c
    join export_verdicts as v using (case_no)
    join belonging as b using (person)
    where v.allowed and not v.small
),

published as (
    select channel, bitstring_agg(place, 0, getvariable('last_place')) as segments
    from groups
    where published
    group by channel
)

select e.channel, count(*) as rows
from exports as e
left join published as p using (channel)
where not exists (
    from admitted as a
    where a.channel = e.channel and a.person = e.person and a.segments & e.segments = e.segments
)
   or p.channel is null
   or p.segments & e.segments <> e.segments
group by e.channel
order by e.channel;
