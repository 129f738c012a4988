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
),

-- One join finds rows that no verdict may cover; whether one does is then asked about these:
-- a person with special segments has two.
doubtful as (
    select e.channel, e.person, e.segments
    from exports as e
    left join admitted as a using (channel, person)
    where coalesce(a.segments & e.segments <> e.segments, true)
)

select channel, count(*) as rows
from (
    select d.channel
    from doubtful as d
    where not exists (
        from admitted as a
        where a.channel = d.channel and a.person = d.person and a.segments & d.segments = d.segments
    )
    union all
    select e.channel
    from exports as e
    left join published as p using (channel)
    where coalesce(p.segments & e.segments <> e.segments, true)
)
group by channel
order by channel;
