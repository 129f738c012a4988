-- windows, clearly: what each person did in the 28 and in the 90 days before as_of, summed from
-- daily rows. A person is an account with the devices that both sides consented to
-- join, else one subject (CON-14). Days count by ingest; every count of daily becomes
-- two columns, _28d and _90d. A day on which only a session of the day before ended is
-- no day of a visit. break_days lie between the last visit before the 28 days and the
-- first one in them; 0 if either is none.
-- One row per person with a daily row in 90 days. Reads daily_rows, persons.
create or replace table windows as

with mine as (
    select coalesce(p.person, d.subject) as person, d.day >= getvariable('as_of_day') - 28 as recent, d.*
    from daily_rows as d
    left join persons as p using (subject)
    where d.day >= getvariable('as_of_day') - 90 and d.day < getvariable('as_of_day')
),

placed as (
    select distinct on (m.person, if(o.order_key = 0, m.subject::varchar || o.at_ms, o.order_key::varchar))
        m.person, m.recent, m.day, o.at_ms, o.cents
    from (select person, subject, recent, day, unnest(orders) as o from mine) as m
    order by m.person, if(o.order_key = 0, m.subject::varchar || o.at_ms, o.order_key::varchar), o.at_ms, o.cents
),

bought as (
    select
        person,
        count(*) as orders_90d,
        count(*) filter (where recent) as orders_28d,
        sum(cents)::bigint as order_cents_90d,
        coalesce(sum(cents) filter (where recent), 0)::bigint as order_cents_28d,
        max(day) as last_order_day
    from placed
    group by person
),

counted as (
    select * exclude (subject, first_ms, last_ms, orders, returns, open)
    from mine
),

done as (
    select
        person,
        (getvariable('as_of_day') - max(day) filter (where events > 0))::bigint as days_since_visit,
        (getvariable('as_of_day') - min(day) filter (where events > 0))::bigint as days_since_first_visit,
        coalesce(
            min(day) filter (where events > 0 and recent) - max(day) filter (where events > 0 and not recent), 0
        )::bigint as break_days,
        count(distinct day) filter (where events > 0) as active_days_90d,
        count(distinct day) filter (where events > 0 and recent) as active_days_28d,
        sum(columns(* exclude (person, recent, day)))::bigint as '\0_90d',
        coalesce(sum(columns(* exclude (person, recent, day))) filter (where recent), 0)::bigint as '\0_28d'
    from counted
    group by person
    having sum(events) > 0
)

select
    d.*,
    coalesce(b.orders_90d, 0) as orders_90d,
    coalesce(b.orders_28d, 0) as orders_28d,
    coalesce(b.order_cents_90d, 0) as order_cents_90d,
    coalesce(b.order_cents_28d, 0) as order_cents_28d,
    coalesce(getvariable('as_of_day') - b.last_order_day, -1)::bigint as days_since_order
from done as d
left join bought as b using (person);
