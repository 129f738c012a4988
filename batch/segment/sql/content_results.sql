-- content_results: what came of the contents that were drawn, within reward_ms, added up
-- so that nobody is left in it. A person counts once for a slot, with the first draw
-- whose time is over. weight is the inverse of the propensity. Returns and whether
-- somebody came back are guardrails: a content that sells by disappointing is none.
-- fold parts the persons by their pseudonym, which is random, so that weights can be judged
-- on others than they were made from.
-- One row per slot, segment, variant, eligible variants, day, fold and propensity. Reads known_contents, persons, sales,
-- daily_rows.
create or replace table content_results as

with chosen as (
    select person, slot, arg_min(decision_id, (at_ms, decision_id)) as decision_id
    from known_contents
    where at_ms + getvariable('reward_ms') <= epoch_ms(getvariable('as_of_day')::timestamp)
    group by person, slot
),

-- what was logged twice counts once
firsts as (
    select distinct on (person, slot) k.*
    from known_contents as k
    semi join chosen using (person, slot, decision_id)
),

-- few of all persons: the join with every daily row is by these alone
theirs as (
    select subject, person
    from persons
    where person in (select person from firsts)
    union
    select person as subject, person
    from firsts
    where person not in (select subject from persons)
),

earned as (
    select f.person, f.slot, sum(s.net_cents)::bigint as net_cents, bool_or(s.went_back) as went_back
    from firsts as f
    join sales as s on s.person = f.person and s.at_ms >= f.at_ms and s.at_ms < f.at_ms + getvariable('reward_ms')
    group by f.person, f.slot
),

visits as (
    select distinct t.person, d.day
    from daily_rows as d
    join theirs as t using (subject)
),

returned as (
    select distinct f.person, f.slot
    from firsts as f
    join visits as v
        on v.person = f.person and v.day > make_timestamp_ms(f.at_ms)::date
        and v.day <= make_timestamp_ms(f.at_ms + getvariable('reward_ms'))::date
),

outcomes as (
    select
        f.slot, f.segment, f.variant, f.eligible, f.ppm,
        make_timestamp_ms(f.at_ms)::date as day,
        ('0x' || substr(f.person::varchar, 1, 4))::integer % getvariable('folds') as fold,
        e.person is not null as ordered,
        coalesce(e.net_cents, 0) as net_cents,
        coalesce(e.went_back, false) as went_back,
        r.person is not null as came_back
    from firsts as f
    left join earned as e using (person, slot)
    left join returned as r using (person, slot)
)

select
    slot, segment, variant, eligible, day, fold, ppm,
    count(*) as n,
    count(*) filter (where ordered) as orders,
    sum(net_cents)::bigint as net_cents,
    sum(net_cents::hugeint * net_cents)::decimal(38, 0) as net_cents_squared,
    count(*) filter (where went_back) as went_back,
    count(*) filter (where came_back) as came_back
from outcomes
group by all
order by all;
