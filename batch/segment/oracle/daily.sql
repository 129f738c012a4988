-- daily: what each subject did on one ingest day (variable day), in the name of
-- personalisation_content. Every column can be merged over days: sums add up, times
-- take the latest, orders are a list in which one order_key counts once, and so are returns.
-- One row per subject with an admitted event. Reads sessions, sequence.
create or replace table daily as

with visits as (
    select
        subject,
        count(*) as sessions,
        sum(events)::bigint as events,
        min(start_ms) as first_ms,
        max(last_ms) as last_ms,
        sum(dwell_ms)::bigint as dwell_ms,
        sum(product_views)::bigint as product_views,
        sum(products_viewed)::bigint as products_viewed,
        sum(searches)::bigint as searches,
        sum(searches_clicked)::bigint as searches_clicked,
        sum(searches_zero_results)::bigint as searches_zero_results,
        sum(search_reformulations)::bigint as search_reformulations,
        sum(exact_searches)::bigint as search_exact_articles,
        sum(size_guide_opens)::bigint as size_guide_opens,
        sum(variant_flips)::bigint as variant_flips,
        sum(compare_loops)::bigint as compare_loops,
        count(*) filter (where cart_units > 0) as baskets_left,
        count(*) filter (where hour_band = 0) as sessions_night,
        count(*) filter (where hour_band = 1) as sessions_morning,
        count(*) filter (where hour_band = 2) as sessions_afternoon,
        count(*) filter (where hour_band = 3) as sessions_evening
    from sessions
    group by subject
),

acts as (
    select
        subject,
        count(*) filter (where kind = getvariable('kinds').product_added) as cart_adds,
        count(*) filter (where kind = getvariable('kinds').product_removed) as cart_removes,
        count(*) filter (
            where kind = getvariable('kinds').product_viewed and product_class in ('complex', 'premium', 'contract')
        ) as premium_views,
        count(*) filter (where kind = getvariable('kinds').product_viewed and price_cents > 0) as priced_views,
        coalesce(sum(price_cents) filter (where kind = getvariable('kinds').product_viewed), 0)::bigint as viewed_cents,
        count(*) filter (
            where kind in (getvariable('kinds').order_refunded, getvariable('kinds').order_cancelled)
        ) as refunds,
        coalesce(sum(cart_cents) filter (
            where kind in (getvariable('kinds').order_refunded, getvariable('kinds').order_cancelled)
        ), 0)::bigint as refund_cents,
        coalesce(list_sort(list({
            order_key: order_key,
            at_ms: occurred_ms,
            cents: if(cart_cents > 0, cart_cents, coalesce(list_sum(list_transform(
                items, lambda i: greatest(i.quantity, 1) * i.price_cents)), 0)::bigint)
        }) filter (where kind = getvariable('kinds').order_completed)), []) as orders,
        coalesce(list_sort(list({
            order_key: order_key,
            at_ms: occurred_ms,
            whole: kind = getvariable('kinds').order_cancelled,
            cents: if(cart_cents > 0, cart_cents, coalesce(list_sum(list_transform(
                items, lambda i: greatest(i.quantity, 1) * i.price_cents)), 0)::bigint)
        }) filter (
            where kind in (getvariable('kinds').order_refunded, getvariable('kinds').order_cancelled)
        )), []) as returns,
        count(*) filter (where gpc) as gpc_events,
        count(*) filter (where dnt) as dnt_events,
        count(*) filter (where tag <> 'none') as special_events
    from sequence
    group by subject
)

select getvariable('day') as day, v.*, a.* exclude (subject)
from visits as v
join acts as a using (subject);
