-- subjects_now: the facts about a subject that the event gate asks for beside a
-- standing. Restriction and age are the stricter of device and linked account.
-- special_since holds, per special category, since when an explicit yes is in
-- force; special_all_since is the latest of them, and null as soon as any that was
-- once given has ended: it covers events whose own categories are no longer known.
-- One row per subject. Reads subjects, links, standings_now, purposes.
create or replace table subjects_now as

with facts as (
    select
        subject,
        coalesce(restricted, false) as restricted,
        coalesce(objections, []) as objections,
        coalesce(suppressed, []) as suppressed,
        case age_band when 'u16' then 3 when '16_17' then 2 when 'adult' then 1 else 0 end as age
    from subjects
),

sides as (
    select device as subject, device as side from links
    union all
    select device as subject, account as side from links
),

circumstances as (
    select subject, restricted, list_sort(list_distinct(objections)) as objections, list_sort(list_distinct(suppressed)) as suppressed, age
    from facts
    where subject not in (select device from links)
    union all
    select
        s.subject,
        bool_or(coalesce(f.restricted, false)) as restricted,
        list_sort(list_distinct(flatten(list(coalesce(f.objections, []))))) as objections,
        list_sort(list_distinct(flatten(list(coalesce(f.suppressed, []))))) as suppressed,
        max(coalesce(f.age, 0)) as age
    from sides as s
    left join facts as f on f.subject = s.side
    group by s.subject
),

explicit as (
    select
        n.subject,
        p.special as category,
        case when n.status in ('given', 'renewed') and n.explicit then n.since_ms end as since_ms,
        n.status in ('withdrawn', 'expired', 'revoked', 'invalidated') as ended
    from standings_now as n
    join purposes as p on p.bit = n.bit and p.special >= 0
),

special as (
    select
        subject,
        list_transform(range(8), lambda c: list_min(list_filter(
            list({category: category, since_ms: since_ms}), lambda x: x.category = c and x.since_ms is not null
        )).since_ms) as special_since,
        case when not bool_or(ended) then max(since_ms) end as special_all_since
    from explicit
    group by subject
)

select
    c.subject,
    c.restricted,
    c.objections,
    c.suppressed,
    ['', 'adult', '16_17', 'u16'][c.age + 1] as age,
    s.special_since,
    s.special_all_since
from circumstances as c
left join special as s using (subject);
