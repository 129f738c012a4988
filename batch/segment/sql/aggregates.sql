-- aggregates: how many of each segment are of which value tier and visit at which time of
-- day, in cells of at least k persons. A ladder in four steps: tier and daypart; tiers none,
-- low (1, 2), 3 and high (4, 5), and daypart; these tiers, any daypart; the rest. A step counts
-- only persons whom no step before released: counting whole cells at each step publishes
-- remainders under k. Nor does a cell go out whose persons all share something sensitive. If
-- the rest were under k, or alike in that, the smallest cell joins it: segment less cells would
-- tell (complementary suppression). What is shown is rounded down to a multiple of k, so that
-- no two numbers of two nights, or of two segments, differ by fewer than k (EXP-07).
-- One row per segment and cell; every member is in one. Reads crowds, kinds, segment_names,
-- cells.
create or replace table aggregates as

with mine as (
    select
        s.segment,
        w.value_tier as tier,
        case
            when w.value_tier = 0 then 0 when w.value_tier <= 2 then 1 when w.value_tier = 3 then 3 else 4
        end as tiers_from,
        case
            when w.value_tier = 0 then 0 when w.value_tier <= 2 then 2 when w.value_tier = 3 then 3 else 5
        end as tiers_to,
        w.daypart,
        k.tag <> 'none' as special,
        w.persons
    from crowds as w
    join kinds as k using (kind)
    join segment_names as s on get_bit(w.segments, s.place) = 1
    join cells as c using (segment)
    where c.members is not null and not list_contains(getvariable('special_segments'), s.segment)
),

-- Persons of one cell and kind go the same way: the ladder counts them, rather than them.
alike as (
    select * exclude (persons), sum(persons)::bigint as n
    from mine
    group by all
),

first as (
    select
        *,
        sum(n) over cell >= getvariable('k') and coalesce(sum(n) filter (where not special) over cell, 0) > 0 as ok0
    from alike
    window cell as (partition by segment, tier, daypart)
),

second as (
    select
        *,
        not ok0 and coalesce(sum(n) filter (where not ok0) over cell, 0) >= getvariable('k')
            and coalesce(sum(n) filter (where not ok0 and not special) over cell, 0) > 0 as ok1
    from first
    window cell as (partition by segment, tiers_from, daypart)
),

third as (
    select
        *,
        not ok0 and not ok1 and coalesce(sum(n) filter (where not ok0 and not ok1) over cell, 0) >= getvariable('k')
            and coalesce(sum(n) filter (where not ok0 and not ok1 and not special) over cell, 0) > 0 as ok2
    from second
    window cell as (partition by segment, tiers_from)
),

released as (
    select
        segment,
        case when ok0 then tier when ok1 or ok2 then tiers_from else 0 end as tier_from,
        case when ok0 then tier when ok1 or ok2 then tiers_to else 5 end as tier_to,
        case when ok0 or ok1 then daypart else 'any' end as daypart,
        not ok0 and not ok1 and not ok2 as rest,
        sum(n)::bigint as persons,
        coalesce(sum(n) filter (where not special), 0)::bigint as plain
    from third
    group by all
),

ranked as (
    select
        *,
        row_number() over (partition by segment, rest order by persons, tier_from, tier_to, daypart) as place,
        bool_or(rest and (persons < getvariable('k') or plain = 0)) over (partition by segment) as weak
    from released
),

joined as (
    select
        segment,
        if(weak and place = 1 and not rest, {f: 0, t: 5, d: 'any'}, {f: tier_from, t: tier_to, d: daypart}) as cell,
        persons,
        plain
    from ranked
)

select
    segment,
    cell.f::integer as value_tier_from,
    cell.t::integer as value_tier_to,
    cell.d as daypart,
    (sum(persons) // getvariable('k') * getvariable('k'))::bigint as persons_at_least,
    sum(persons)::bigint as persons,
    sum(plain)::bigint as plain
from joined
group by segment, cell;
