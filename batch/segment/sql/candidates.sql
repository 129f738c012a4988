-- candidates: every member of every segment for every channel, with the facts of its
-- export case.
-- One row per member, segment and channel. Reads members, channels, person_facts,
-- channel_states. A segment that gives something sensitive away makes each of its
-- rows special (SPC-01), whatever its members looked at.
create or replace table candidates as

select
    m.segment, c.channel, m.person,
    c.purpose, s.state, f.source, f.gpc,
    case when list_contains(getvariable('special_segments'), m.segment) then 'special' else f.tag end as tag,
    f.age, f.objected
from members as m
cross join channels as c
join person_facts as f using (person)
join channel_states as s on s.person = m.person and s.purpose = c.purpose;
