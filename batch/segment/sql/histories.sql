-- histories: the order days of each person before history_day, as a value model reads
-- them: how many after the first, and the last of them and history_day in days since the
-- first. The spend is per order day, less what went back; later_days are the order days
-- from history_day on. trained says whether a model may be made from it.
-- One row per person who bought before. Reads sales, windows, learners.
create or replace table histories as

with days as (
    select person, make_timestamp_ms(at_ms)::date as day, sum(net_cents)::bigint as cents
    from sales
    group by all
)

select
    person,
    count(*) filter (where day < getvariable('history_day')) - 1 as repeats,
    (max(day) filter (where day < getvariable('history_day')) - min(day))::bigint as last_days,
    (getvariable('history_day') - min(day))::bigint as age_days,
    sum(cents) filter (where day < getvariable('history_day'))::bigint as cents,
    count(*) filter (where day >= getvariable('history_day')) as later_days,
    person in (select subject from learners where purpose = 'model_training') as trained
from days
where person in (select person from windows)
group by person
having min(day) < getvariable('history_day');
