-- person_facts: what is asked about a person when rows leave and numbers are told: segments,
-- value tier and time of day, what those who ordered in 90 days spent, and the facts of the
-- export gate. The strictest of all subjects that make up the person counts; one event with
-- GPC or Do Not Track, or about a special category, in 90 days marks the whole row (SPC-02).
-- standings: a bit for each by its number. refusals: what devices of the person said no to.
-- One row per person with features. Reads features, memberships, persons, subjects_now,
-- subjects, standings_now, standings_asked, own_standings, objectors, bought, channels.
create or replace table person_facts as

with ages as (
    select subject, restricted, list_position(['', 'adult', '16_17', 'u16'], age) as age
    from subjects_now
    where restricted or age <> ''
),

merged as (
    select p.person, bool_or(a.restricted) as restricted, max(a.age) as age
    from persons as p
    join ages as a using (subject)
    where p.merged
    group by p.person
),

standing as (
    select n.subject, bitstring_agg(a.no, 0, getvariable('last_standing')) as standings
    from standings_now as n
    join standings_asked as a using (bit, status, notice, doi_confirmed, lifts)
    group by n.subject
),

refusing as (
    select p.person, list_sort(list(distinct {bit: o.bit, status: o.status})) as refusals
    from persons as p
    join own_standings as o using (subject)
    join purposes as q using (bit)
    where p.merged and q.reach <> 'account' and o.status not in ('given', 'renewed', 'unknown')
        and o.bit in (select bit from channels)
    group by p.person
),

objecting as (
    select person, list_sort(list({purpose: purpose, objected: objected, suppressed: suppressed})) as objections
    from objectors
    where purpose in (select purpose from channels)
    group by person
),

customers as (
    select b.person, list_sort(list(c.channel) filter (where list_has_any(b.categories, c.goods))) as alike
    from bought as b
    cross join channels as c
    group by b.person
)

select
    f.person,
    m.segments,
    f.value_tier::integer as value_tier,
    case greatest(f.sessions_morning_90d, f.sessions_afternoon_90d, f.sessions_evening_90d, f.sessions_night_90d)
        when 0 then 'unknown'
        when f.sessions_morning_90d then 'morning'
        when f.sessions_afternoon_90d then 'afternoon'
        when f.sessions_evening_90d then 'evening'
        else 'night'
    end as daypart,
    if(f.orders_90d > 0, f.net_cents_90d, null) as spent_cents,
    j.subject is not null as account,
    coalesce(a.restricted, false) or coalesce(d.restricted, false) as restricted,
    ['unknown', 'adult', '16_17', 'u16'][coalesce(greatest(a.age, d.age), 1)]::case_age as age,
    f.gpc_events_90d > 0 as gpc,
    f.dnt_events_90d > 0 as dnt,
    if(f.special_events_90d > 0, 'special_explicit', 'none')::case_tag as tag,
    coalesce(s.standings, bitstring('0', getvariable('last_standing') + 1)) as standings,
    coalesce(r.refusals, []) as refusals,
    coalesce(o.objections, []) as objections,
    c.person is not null as ordered,
    coalesce(c.alike, []) as alike
from features as f
left join memberships as m using (person)
left join ages as a on a.subject = f.person
left join merged as d using (person)
left join (from subjects where scope = 'account') as j on j.subject = f.person
left join standing as s on s.subject = f.person
left join refusing as r using (person)
left join objecting as o using (person)
left join customers as c using (person);
