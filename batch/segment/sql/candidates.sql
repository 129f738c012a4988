-- candidates: every person in a segment that leaves through a channel, with the facts of the
-- export case. Whoever objected to a channel of direct marketing, or is on the suppression
-- list for it, is not even asked about: no membership is computed for them (EXP-03).
-- state: where the channel's purpose stands for the person. What only an account may decide is unknown for a device, even for one that
-- is linked: its features are not the account's (CON-14). A no on any device that makes up
-- the person is a no. named: the notice that the grant rests on names the recipient; where no
-- grant is known, every notice about the purpose must (EXP-05, EXP-08). confirmed: whoever has
-- to have the address confirmed has done so (EXP-04). gpc, dnt: not where the grant was chosen
-- in knowledge of the browser's signal, which it outranks (SIG-04). tag: a segment that gives
-- something sensitive away makes each of its rows special (SPC-01), whatever its members
-- looked at; segments has a bit for each segment that the row is about.
-- One row per person and channel, and one more for special segments. Reads memberships,
-- segment_names, channels, destinations, person_facts, purposes, naming, persons,
-- own_standings, standings_now, objectors, bought.
create or replace table candidates as

with leaving as (
    select
        d.channel,
        list_contains(getvariable('special_segments'), d.segment) as special,
        bitstring_agg(n.place, 0, getvariable('last_place')) as segments
    from destinations as d
    join segment_names as n using (segment)
    group by all
),

refusing as (
    select p.person, o.bit, min(o.status) as status
    from persons as p
    join own_standings as o using (subject)
    join purposes as q using (bit)
    where p.merged and q.reach <> 'account' and o.status not in ('given', 'renewed', 'unknown')
    group by p.person, o.bit
)

select
    c.channel,
    m.person,
    m.segments & l.segments as segments,
    case
        when getvariable('exports_off') then 'switched_off'
        when not p.runs then 'unregistered'
        when f.restricted then 'restricted'
        when f.scope = 'device' and c.reach = 'account' then 'unknown'
        when coalesce(r.status, s.status) in ('requested', 'request_deferred') then 'unknown'
        else coalesce(r.status, s.status, 'unknown')
    end as state,
    f.source,
    f.gpc and not coalesce(s.lifts, false) as gpc,
    f.dnt and not coalesce(s.lifts, false) as dnt,
    if(l.special, 'special', f.tag) as tag,
    f.age,
    coalesce(o.objected, false) as objected,
    coalesce(o.suppressed, false) as suppressed,
    c.confirmed_there or coalesce(s.doi_confirmed, false) as confirmed,
    if(coalesce(s.notice, '') = '', c.named_by_all, w.notice is not null) as named,
    f.scope = 'account' and b.person is not null as ordered,
    f.scope = 'account' and coalesce(list_has_any(b.categories, c.goods), false) as alike
from memberships as m
join person_facts as f using (person)
cross join leaving as l
join channels as c using (channel)
join purposes as p on p.bit = c.bit
left join standings_now as s on s.subject = m.person and s.bit = c.bit
left join refusing as r on r.person = m.person and r.bit = c.bit
left join (select distinct channel, notice from naming) as w on w.channel = c.channel and w.notice = s.notice
left join bought as b on b.person = m.person
left join objectors as o on o.person = m.person and o.purpose = c.purpose
where bit_count(m.segments & l.segments) > 0 and (not c.marketing or o.person is null);
