-- offer_results: what came of the offers that a lot decided, within reward_ms. A person
-- counts once, with the first of them whose time is over: two would not be independent.
-- Both arms are those who would have been offered a human.
-- One row per person. Reads offered, learning, persons, sales, contacts.
create or replace table offer_results as

with known as (
    select o.*, p.person
    from offered as o
    join persons as p on p.subject = o.subject
    join learning as t on t.person = p.person and t.purpose = 'model_training' and t.since_ms <= o.at_ms
    join learning as a on a.person = p.person and a.purpose = 'adviser_assist' and a.since_ms <= o.at_ms
    where o.at_ms + getvariable('reward_ms') <= epoch_ms(getvariable('as_of_day')::timestamp)
),

firsts as (
    select distinct on (person) * from known order by person, at_ms, decision_id
),

earned as (
    select f.person, count(*) as orders, sum(s.net_cents)::bigint as net_cents
    from firsts as f
    join sales as s on s.person = f.person and s.at_ms >= f.at_ms and s.at_ms < f.at_ms + getvariable('reward_ms')
    group by f.person
)

select
    f.person, f.held_out, f.ppm, f.need, f.scorecard, f.features,
    coalesce(e.orders, 0) as orders,
    coalesce(e.net_cents, 0) as net_cents,
    coalesce(c.outcome, '') as outcome
from firsts as f
left join earned as e using (person)
left join contacts as c on c.decision_id = f.decision_id
order by f.person;
