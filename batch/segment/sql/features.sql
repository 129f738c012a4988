-- features: what segments are made of. Column names are documented by Columns().
-- value_tier is 0 for persons who bought nothing, or if too few did to compare with,
-- else the rounded-up mean of the classes of recency, frequency and money, 1 to 5.
-- One row per person. Reads windows, thresholds.
create or replace table features as

with classed as (
    select
        w.*,
        w.order_cents_90d - w.refund_cents_90d as net_cents_90d,
        w.viewed_cents_90d // greatest(w.priced_views_90d, 1) as viewed_price_cents_90d,
        case when w.orders_90d > 0 and t.recency_days is not null then
            5 - len(list_filter(t.recency_days, lambda cut: w.days_since_order > cut)) else 0 end as recency,
        case when w.orders_90d > 0 and t.frequency_orders is not null then
            1 + len(list_filter(t.frequency_orders, lambda cut: w.orders_90d > cut)) else 0 end as frequency,
        case when w.orders_90d > 0 and t.monetary_cents is not null then
            1 + len(list_filter(t.monetary_cents, lambda cut: w.order_cents_90d - w.refund_cents_90d > cut)) else 0 end as monetary
    from windows as w
    cross join thresholds as t
)

select
    * exclude (viewed_cents_28d, viewed_cents_90d, priced_views_28d, priced_views_90d),
    (recency + frequency + monetary + 2) // 3 as value_tier
from classed;
