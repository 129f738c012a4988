-- features: what segments are made of. Column names are documented by Columns().
-- value_tier is 0 for persons who bought nothing, or if too few did to compare with,
-- else the rounded-up mean of the classes of recency, frequency and money, 1 to 5. What
-- a value model expects is -1 where it is not known. need_signs counts the kinds of
-- trouble of 28 days, need_tier is 0 for none, 1 for one, 2 for two or three, else 3.
-- lifecycle is 5 (lapsed) after 56 days without a visit, 4 (cooling) after 28, else 1
-- (new) if the first of 90 days is in the last 28, 3 (returning) after a break of more
-- than 28 days, 2 (active). churn_risk holds the days since the last visit against the
-- mean days between two, of at least 3: 1 up to twice that, 2 up to four times, then 3;
-- 0 with fewer than three days of visits, which are no rhythm.
-- One row per person. Reads windows, thresholds, values_expected, micro.
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
),

-- Signs of the last 28 days that somebody needed help.
signed as (
    select
        c.*,
        (c.search_reformulations_28d >= 2)::bigint
            + (c.searches_zero_results_28d >= 1)::bigint
            + (c.size_guide_opens_28d + c.variant_flips_28d >= 3)::bigint
            + (c.compare_loops_28d >= 1)::bigint
            + (c.baskets_left_28d >= 1 and c.orders_28d = 0)::bigint
            + (c.product_views_28d >= 10 and c.orders_28d = 0)::bigint as need_signs_28d,
        coalesce(v.expected_orders_x1000, -1) as expected_orders_x1000,
        coalesce(v.expected_value_cents, -1) as expected_value_cents,
        coalesce(v.alive_pct, -1) as alive_pct,
        coalesce(m.micro_segment, 0) as micro_segment,
        greatest(c.days_since_first_visit - c.days_since_visit, 3 * (c.active_days_90d - 1)) as rhythm,
        c.days_since_visit * (c.active_days_90d - 1) as away
    from classed as c
    left join values_expected as v using (person)
    left join micro as m using (person)
)

select
    * exclude (viewed_cents_28d, viewed_cents_90d, priced_views_28d, priced_views_90d, rhythm, away),
    (recency + frequency + monetary + 2) // 3 as value_tier,
    (need_signs_28d >= 1)::bigint + (need_signs_28d >= 2)::bigint + (need_signs_28d >= 4)::bigint as need_tier,
    case
        when days_since_visit > 56 then 5
        when days_since_visit > 28 then 4
        when days_since_first_visit <= 28 then 1
        when break_days > 28 then 3
        else 2
    end::bigint as lifecycle,
    case when active_days_90d >= 3 then 1 + (away > 2 * rhythm)::bigint + (away > 4 * rhythm)::bigint else 0 end as churn_risk
from signed;
