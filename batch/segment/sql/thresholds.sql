-- thresholds: the cuts between the five classes of recency, frequency and money among
-- persons who bought in 90 days. They are values that somebody has, so equal persons
-- fall into equal classes; with fewer than k buyers there are none.
-- One row. Reads windows.
create or replace table thresholds as

with buyers as (
    select days_since_order, orders_90d, order_cents_90d - refund_cents_90d as net_cents_90d
    from windows
    where orders_90d > 0
)

select
    count(*) as buyers,
    case when count(*) >= getvariable('k') then quantile_disc(days_since_order, [0.2, 0.4, 0.6, 0.8]) end as recency_days,
    case when count(*) >= getvariable('k') then quantile_disc(orders_90d, [0.2, 0.4, 0.6, 0.8]) end as frequency_orders,
    case when count(*) >= getvariable('k') then quantile_disc(net_cents_90d, [0.2, 0.4, 0.6, 0.8]) end as monetary_cents
from buyers;
