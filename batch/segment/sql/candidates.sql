-- candidates: every member of every segment for every channel that the segment leaves
-- through, with the facts of its export case. Whoever objected to a channel of direct marketing, or is on the suppression
-- list for it, is not even asked about: no membership is computed for them (EXP-03).
-- One row per member, segment and channel. Reads members, channels, destinations,
-- person_facts, channel_states, objectors, bought. A segment that gives something sensitive away makes each of
-- its rows special (SPC-01), whatever its members looked at.
create or replace table candidates as

select
    m.segment, c.channel, m.person,
    s.state, f.source, f.gpc and not s.lifts as gpc, f.dnt and not s.lifts as dnt,
    case when list_contains(getvariable('special_segments'), m.segment) then 'special' else f.tag end as tag,
    f.age,
    coalesce(o.objected, false) as objected,
    coalesce(o.suppressed, false) as suppressed,
    s.confirmed, s.named,
    f.scope = 'account' and b.person is not null as ordered,
    f.scope = 'account' and coalesce(list_has_any(b.categories, c.goods), false) as alike
from members as m
join destinations as d on d.segment = m.segment
join channels as c on c.channel = d.channel
join person_facts as f using (person)
join channel_states as s on s.person = m.person and s.channel = c.channel
left join bought as b on b.person = m.person
left join objectors as o on o.person = m.person and o.purpose = c.purpose
where not c.marketing or o.person is null;
