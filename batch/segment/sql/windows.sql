-- windows: what each person did in the 28 and in the 90 days before as_of, summed from
-- daily rows. A person is an account with the devices that both sides consented to
-- join, else one subject (CON-14). Days count by ingest; every count of daily becomes
-- two columns, _28d and _90d. A day on which only a session of the day before ended is
-- no day of a visit. break_days lie between the last visit before the 28 days and the
-- first one in them; 0 if either is none.
-- Sums are what this costs: three counts share one, 21 bits each. The night takes the
-- clear form, oracle/windows.sql, if anybody could have 2^21 events; a test holds the
-- two together.
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

packed as (
    select
        person, recent, dwell_ms, viewed_cents, refund_cents, if(events > 0, day, null) as visit_day,
        if(events > 0, 1::hugeint << (getvariable('as_of_day') - day)::integer, 0::hugeint) as visited,
        sessions + (events << 21) + (product_views << 42) as p0,
        products_viewed + (searches << 21) + (searches_clicked << 42) as p1,
        searches_zero_results + (search_reformulations << 21) + (search_exact_articles << 42) as p2,
        size_guide_opens + (variant_flips << 21) + (compare_loops << 42) as p3,
        baskets_left + (sessions_night << 21) + (sessions_morning << 42) as p4,
        sessions_afternoon + (sessions_evening << 21) + (cart_adds << 42) as p5,
        cart_removes + (premium_views << 21) + (priced_views << 42) as p6,
        refunds + (gpc_events << 21) + (dnt_events << 42) as p7,
        special_events as p8
    from mine
),

done as (
    select
        person,
        bit_or(visited) as visited,
        min(visit_day) as first_day,
        min(if(recent, visit_day, null)) as first_recent_day,
        max(if(recent, null, visit_day)) as last_older_day,
        sum(p0)::bigint as p0_90d, sum(if(recent, p0, 0))::bigint as p0_28d,
        sum(p1)::bigint as p1_90d, sum(if(recent, p1, 0))::bigint as p1_28d,
        sum(p2)::bigint as p2_90d, sum(if(recent, p2, 0))::bigint as p2_28d,
        sum(p3)::bigint as p3_90d, sum(if(recent, p3, 0))::bigint as p3_28d,
        sum(p4)::bigint as p4_90d, sum(if(recent, p4, 0))::bigint as p4_28d,
        sum(p5)::bigint as p5_90d, sum(if(recent, p5, 0))::bigint as p5_28d,
        sum(p6)::bigint as p6_90d, sum(if(recent, p6, 0))::bigint as p6_28d,
        sum(p7)::bigint as p7_90d, sum(if(recent, p7, 0))::bigint as p7_28d,
        sum(p8)::bigint as p8_90d, sum(if(recent, p8, 0))::bigint as p8_28d,
        sum(dwell_ms)::bigint as dwell_ms_90d, sum(if(recent, dwell_ms, 0))::bigint as dwell_ms_28d,
        sum(viewed_cents)::bigint as viewed_cents_90d, sum(if(recent, viewed_cents, 0))::bigint as viewed_cents_28d,
        sum(refund_cents)::bigint as refund_cents_90d, sum(if(recent, refund_cents, 0))::bigint as refund_cents_28d
    from packed
    group by person
)

select
    d.person,
    bit_count((d.visited & -d.visited) - 1)::bigint as days_since_visit,
    (getvariable('as_of_day') - d.first_day)::bigint as days_since_first_visit,
    coalesce(d.first_recent_day - d.last_older_day, 0)::bigint as break_days,
    bit_count(d.visited)::bigint as active_days_90d,
    bit_count(d.visited & ((1::hugeint << 29) - 1))::bigint as active_days_28d,
    (d.p0_90d & 2097151) as sessions_90d,
    ((d.p0_90d >> 21) & 2097151) as events_90d,
    d.dwell_ms_90d,
    ((d.p0_90d >> 42) & 2097151) as product_views_90d,
    (d.p1_90d & 2097151) as products_viewed_90d,
    ((d.p1_90d >> 21) & 2097151) as searches_90d,
    ((d.p1_90d >> 42) & 2097151) as searches_clicked_90d,
    (d.p2_90d & 2097151) as searches_zero_results_90d,
    ((d.p2_90d >> 21) & 2097151) as search_reformulations_90d,
    ((d.p2_90d >> 42) & 2097151) as search_exact_articles_90d,
    (d.p3_90d & 2097151) as size_guide_opens_90d,
    ((d.p3_90d >> 21) & 2097151) as variant_flips_90d,
    ((d.p3_90d >> 42) & 2097151) as compare_loops_90d,
    (d.p4_90d & 2097151) as baskets_left_90d,
    ((d.p4_90d >> 21) & 2097151) as sessions_night_90d,
    ((d.p4_90d >> 42) & 2097151) as sessions_morning_90d,
    (d.p5_90d & 2097151) as sessions_afternoon_90d,
    ((d.p5_90d >> 21) & 2097151) as sessions_evening_90d,
    ((d.p5_90d >> 42) & 2097151) as cart_adds_90d,
    (d.p6_90d & 2097151) as cart_removes_90d,
    ((d.p6_90d >> 21) & 2097151) as premium_views_90d,
    ((d.p6_90d >> 42) & 2097151) as priced_views_90d,
    d.viewed_cents_90d,
    (d.p7_90d & 2097151) as refunds_90d,
    d.refund_cents_90d,
    ((d.p7_90d >> 21) & 2097151) as gpc_events_90d,
    ((d.p7_90d >> 42) & 2097151) as dnt_events_90d,
    (d.p8_90d & 2097151) as special_events_90d,
    (d.p0_28d & 2097151) as sessions_28d,
    ((d.p0_28d >> 21) & 2097151) as events_28d,
    d.dwell_ms_28d,
    ((d.p0_28d >> 42) & 2097151) as product_views_28d,
    (d.p1_28d & 2097151) as products_viewed_28d,
    ((d.p1_28d >> 21) & 2097151) as searches_28d,
    ((d.p1_28d >> 42) & 2097151) as searches_clicked_28d,
    (d.p2_28d & 2097151) as searches_zero_results_28d,
    ((d.p2_28d >> 21) & 2097151) as search_reformulations_28d,
    ((d.p2_28d >> 42) & 2097151) as search_exact_articles_28d,
    (d.p3_28d & 2097151) as size_guide_opens_28d,
    ((d.p3_28d >> 21) & 2097151) as variant_flips_28d,
    ((d.p3_28d >> 42) & 2097151) as compare_loops_28d,
    (d.p4_28d & 2097151) as baskets_left_28d,
    ((d.p4_28d >> 21) & 2097151) as sessions_night_28d,
    ((d.p4_28d >> 42) & 2097151) as sessions_morning_28d,
    (d.p5_28d & 2097151) as sessions_afternoon_28d,
    ((d.p5_28d >> 21) & 2097151) as sessions_evening_28d,
    ((d.p5_28d >> 42) & 2097151) as cart_adds_28d,
    (d.p6_28d & 2097151) as cart_removes_28d,
    ((d.p6_28d >> 21) & 2097151) as premium_views_28d,
    ((d.p6_28d >> 42) & 2097151) as priced_views_28d,
    d.viewed_cents_28d,
    (d.p7_28d & 2097151) as refunds_28d,
    d.refund_cents_28d,
    ((d.p7_28d >> 21) & 2097151) as gpc_events_28d,
    ((d.p7_28d >> 42) & 2097151) as dnt_events_28d,
    (d.p8_28d & 2097151) as special_events_28d,
    coalesce(b.orders_90d, 0) as orders_90d,
    coalesce(b.orders_28d, 0) as orders_28d,
    coalesce(b.order_cents_90d, 0) as order_cents_90d,
    coalesce(b.order_cents_28d, 0) as order_cents_28d,
    coalesce(getvariable('as_of_day') - b.last_order_day, -1)::bigint as days_since_order
from done as d
left join bought as b using (person)
where d.visited <> 0;
