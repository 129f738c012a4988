-- sessions: the session features of profile.Catalogue that personalisation_content
-- may use, as they stand at each session's last event. Go and SQL agree on them
-- (TestGoAndSQLFeaturesAgree).
-- One row per subject and session of the ingest day. Reads sequence, searches, looks,
-- loops, baskets.
create or replace table sessions as

with walked as (
    select
        subject, session,
        min(occurred_ms) as start_ms,
        max(occurred_ms) as last_ms,
        count(*) as events,
        arg_max(hour_band, n) filter (where hour_band in ('night', 'morning', 'afternoon', 'evening')) as band,
        count(*) filter (where kind = getvariable('kinds').product_viewed) as product_views,
        count(*) filter (where kind = getvariable('kinds').size_guide_opened) as size_guide_opens,
        count(*) filter (where kind = getvariable('kinds').products_compared) as compared,
        count(*) filter (where kind = getvariable('kinds').order_completed) as orders
    from sequence
    group by subject, session
),

searched as (
    select
        subject, session,
        count(*) as searches,
        count(*) filter (where new) as searches_distinct,
        count(*) filter (where clicked) as clicked,
        count(*) filter (where reformulated) as search_reformulations,
        count(*) filter (where zero) as searches_zero_results,
        count(*) filter (where exact) as exact_searches,
        arg_max(exact, search) as exact
    from searches
    group by subject, session
),

looked as (
    select
        subject, session,
        count(*) filter (where views > 0) as products_viewed,
        max(views) as product_views_max,
        max(ms) as product_dwell_ms_max,
        max(flips) as variant_flips_max,
        sum(flips)::bigint as variant_flips,
        sum(ms)::bigint as dwell_ms
    from looks
    group by subject, session
),

joined as (
    select
        w.subject, w.session, w.start_ms, w.last_ms, w.events, w.orders,
        coalesce(s.searches, 0) as searches,
        coalesce(s.searches_distinct, 0) as searches_distinct,
        coalesce(100 * s.clicked // s.searches, 0) as search_click_pct,
        coalesce(s.clicked, 0) as searches_clicked,
        coalesce(s.search_reformulations, 0) as search_reformulations,
        coalesce(s.searches_zero_results, 0) as searches_zero_results,
        coalesce(s.exact_searches, 0) as exact_searches,
        coalesce(s.exact, false)::bigint as search_exact_article,
        coalesce(list_position(['night', 'morning', 'afternoon', 'evening'], w.band) - 1, -1)::bigint as hour_band,
        (w.last_ms - w.start_ms) // 1000 as session_seconds,
        least(w.session - 1, 5)::bigint as past_sessions,
        coalesce(l.products_viewed, 0) as products_viewed,
        w.product_views,
        coalesce(l.product_views_max, 0) as product_views_max,
        coalesce(l.product_dwell_ms_max, 0) as product_dwell_ms_max,
        coalesce(l.dwell_ms, 0) as dwell_ms,
        w.size_guide_opens,
        coalesce(l.variant_flips_max, 0) as variant_flips_max,
        coalesce(l.variant_flips, 0) as variant_flips,
        w.compared + coalesce(o.loops, 0) as compare_loops,
        coalesce(b.adds, 0) as cart_adds,
        coalesce(b.removes, 0) as cart_removes,
        coalesce(b.units, 0) as cart_units,
        coalesce(b.cents, 0) as cart_value_cents,
        if(b.units > 0, (w.last_ms - b.changed_ms) // 1000, 0) as basket_idle_seconds
    from walked as w
    left join searched as s using (subject, session)
    left join looked as l using (subject, session)
    left join loops as o using (subject, session)
    left join baskets as b using (subject, session)
),

-- An order empties every basket left before it: sessions between two orders form an era.
eras as (
    select *, count(*) filter (where orders > 0) over (partition by subject order by session) as era
    from joined
)

select
    * exclude (era),
    count(*) filter (where cart_units > 0) over (
        partition by subject, era order by session rows between 5 preceding and 1 preceding
    ) as past_baskets_left
from eras;
