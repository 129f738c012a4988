-- candidates_asked: what sql/kind_cases.sql and sql/candidates.sql say, person by person: every
-- person in a segment that leaves through a channel, with the facts of the export case.
-- One row per person and channel, and one more for special segments. Reads what they read.
create or replace table candidates_asked as

with circumstances as (
    select
        p.person,
        bool_or(u.restricted) as restricted,
        max(case u.age when 'u16' then 3 when '16_17' then 2 when 'adult' then 1 else 0 end) as age
    from persons as p
    join (from subjects_now where restricted or age <> '') as u using (subject)
    group by p.person
),

source as (
    select n.subject, n.status
    from standings_now as n
    join purposes as p on p.bit = n.bit and p.purpose = getvariable('basis')
),

facts as (
    select
        f.person,
        coalesce(j.scope, 'device') as scope,
        coalesce(c.restricted, false) as restricted,
        ['unknown', 'adult', '16_17', 'u16'][coalesce(c.age, 0) + 1]::case_age as age,
        f.gpc_events_90d > 0 as gpc,
        f.dnt_events_90d > 0 as dnt,
        if(f.special_events_90d > 0, 'special_explicit', 'none')::case_tag as tag,
        coalesce(try_cast(if(coalesce(c.restricted, false), 'restricted', s.status) as case_state), 'unknown') as source
    from features as f
    left join circumstances as c using (person)
    left join subjects as j on j.subject = f.person
    left join source as s on s.subject = f.person
),

leaving as (
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
join facts as f using (person)
cross join leaving as l
join channels as c using (channel)
join purposes as p on p.bit = c.bit
left join standings_now as s on s.subject = m.person and s.bit = c.bit
left join refusing as r on r.person = m.person and r.bit = c.bit
left join (select distinct channel, notice from naming) as w on w.channel = c.channel and w.notice = s.notice
left join bought as b on b.person = m.person
left join objectors as o on o.person = m.person and o.purpose = c.purpose
where bit_count(m.segments & l.segments) > 0 and (not c.marketing or o.person is null);
