-- signatures: all that the event gate asks about a subject in the name of
-- personalisation_content. While it stays, the daily rows built on it hold; whether a
-- grant was renewed makes no difference to them.
-- One row per subject. Reads subjects_now, standings_now, purposes.
create or replace table signatures as

with standing as (
    select
        n.subject,
        case when n.status = 'renewed' then 'given' else n.status end as state,
        n.status = 'renewed' as renewed,
        case when n.status in ('given', 'renewed') then n.since_ms end as since_ms
    from standings_now as n
    join purposes as p on p.bit = n.bit and p.purpose = 'personalisation_content'
)

select
    u.subject,
    coalesce(s.state, 'unknown') as state,
    coalesce(s.renewed, false) as renewed,
    s.since_ms,
    u.restricted,
    u.age,
    u.special_since,
    u.special_all_since
from subjects_now as u
left join standing as s using (subject);
