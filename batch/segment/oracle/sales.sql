-- sales: what each order of the last 90 days came to, less what went back since, however
-- late (R12). An order counts once per person, by its key.
-- One row per person and order. Reads daily_rows, persons.
create or replace table sales as

with days as (
    select coalesce(p.person, d.subject) as person, d.subject, d.orders, d.returns
    from daily_rows as d
    left join persons as p using (subject)
    where d.day >= getvariable('as_of_day') - 90 and d.day < getvariable('as_of_day') and len(d.orders) + len(d.returns) > 0
),

placed as (
    select person, if(o.order_key = 0, subject::varchar || o.at_ms, o.order_key::varchar) as sale, o.at_ms, o.cents
    from (select person, subject, unnest(orders) as o from days)
),

returned as (
    select person, r.order_key::varchar as sale, bool_or(r.whole) as whole, sum(r.cents)::bigint as cents
    from (select person, unnest(returns) as r from days)
    where r.order_key <> 0
    group by all
),

once as (
    select person, sale, min(at_ms) as at_ms, arg_min(cents, (at_ms, cents)) as cents
    from placed
    group by person, sale
)

select
    o.person,
    o.at_ms,
    o.cents,
    r.sale is not null as went_back,
    if(coalesce(r.whole, false), 0, greatest(o.cents - coalesce(r.cents, 0), 0))::bigint as net_cents
from once as o
left join returned as r using (person, sale);
