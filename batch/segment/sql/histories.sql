-- histories: the order days of each person before history_day, as a value model reads
-- them: how many after the first, and history_day and, as trail, each of them in days since
-- the first ('3,17'; '' without any). The spend is per order day, less what went back;
-- later_days are the order days in the check_days from history_day on. trained says whether a
-- model may be made from it.
-- One row per person who bought before. Reads sales, windows, learners.
create or replace table histories as

with days as (
    select person, make_timestamp_ms(at_ms)::date as day, sum(net_cents)::bigint as cents
    from sales
    group by all
),

numbered as (
    select *, min(day) over (partition by person) as first_day
    from days
    where person in (select person from windows)
)

select
    person,
    count(*) filter (where day < getvariable('history_day')) - 1 as repeats,
    coalesce(string_agg((day - first_day)::varchar, ',' order by day) filter (where day > first_day and day < getvariable('history_day')), '') as trail,
    (getvariable('history_day') - first_day)::bigint as age_days,
    sum(cents) filter (where day < getvariable('history_day'))::bigint as cents,
    count(*) filter (where day >= getvariable('history_day') and day < getvariable('history_day') + getvariable('check_days')) as later_days,
    person in (select subject from learners where purpose = 'model_training') as trained
from numbered
group by person, first_day
having first_day < getvariable('history_day');
