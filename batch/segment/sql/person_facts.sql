-- person_facts: what the export gate asks about a person beside the channel. The
-- strictest of all subjects that make up the person counts; one event with GPC or Do Not
-- Track, or about a special category, in 90 days marks the whole row (SPC-02).
-- One row per person with features. Reads features, persons, subjects_now, subjects,
-- standings_now, purposes.
create or replace table person_facts as

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
)

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
left join source as s on s.subject = f.person;
