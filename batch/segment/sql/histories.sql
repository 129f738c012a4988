-- histories: the order days of each person before history_day, as a value model reads
-- them: how many after the first, and history_day and, as trail, each of them in days since
-- the first ('3,17'; '' without any). The spend is per order day, less what went back;
-- later_days are the order days in the check_days from history_day on. trained says whether a
-- model may be made from it: the yes to that is older than the first order (BAT-01).
-- One row per person who bought before. Reads sales, windows, learning.
create or replace table histories as

with days as (
    select person, make_timestamp_ms(at_ms)::date as day, sum(net_cents)::bigint as cents, min(at_ms) as first_ms
    from sales
    group by all
),

numbered as (
    select
        d.person, d.day, d.cents,
        min(d.day) over (partition by d.person) as first_day,
        coalesce(l.since_ms <= min(d.first_ms) over (partition by d.person), false) as trained
    from days as d
    left join learning as l on l.person = d.person and l.purpose = 'model_training'
    where d.person in (select person from windows)
)

select
    person,
    count(*) filter (where day < getvariable('history_day')) - 1 as repeats,
    coalesce(string_agg((day - first_day)::varchar, ',' order by day) filter (where day > first_day and day < getvariable('history_day')), '') as trail,
    (getvariable('history_day') - first_day)::bigint as age_days,
    sum(cents) filter (where day < getvariable('history_day'))::bigint as cents,
    count(*) filter (where day >= getvariable('history_day') and day < getvariable('history_day') + getvariable('check_days')) as later_days,
    trained
from numbered
group by person, first_day, trained
having first_day < getvariable('history_day');
