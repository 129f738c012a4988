-- buyers: what micro-segments are made of: days from the last order to as of, orders, and
-- money less what went back, of 90 days; none below 0. trained says whether groups may be
-- looked for among them (BAT-08): the yes to that is older than the first order (BAT-01). The
-- others are only placed in what was found. Whoever
-- objected to being profiled is not here (EXP-03).
-- One row per person who bought in 90 days. Reads windows, sales, learning, objectors.
create or replace table buyers as

with agreed as (
    select s.person
    from sales as s
    join learning as l on l.person = s.person and l.purpose = 'model_training'
    group by s.person
    having max(l.since_ms) <= min(s.at_ms)
)

select
    person,
    days_since_order,
    orders_90d as orders,
    greatest(order_cents_90d - refund_cents_90d, 0) as cents,
    person in (select person from agreed) as trained
from windows
where orders_90d > 0
    and person not in (select person from objectors where purpose = getvariable('basis') and objected);
