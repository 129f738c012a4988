-- sequence: the day's events of each subject in order, cut into sessions by gaps of
-- 30 minutes. A session ends with its ingest day. Only what personalisation_content
-- admits is read.
-- One row per event. Reads events_personalisation_content.
create or replace table sequence as

with spaced as (
    select
        subject, message_key, kind, occurred_ms, gpc, tag,
        product_id, product_class, price_cents, quantity, items, product_variant, query_key, query_exact, results,
        cart_cents, order_key, hour_band, dwell_ms,
        occurred_ms - lag(occurred_ms) over steps as gap_ms
    from events_personalisation_content
    window steps as (partition by subject order by occurred_ms, message_key)
),

cut as (
    select
        * exclude (gap_ms, message_key),
        (count(*) filter (where gap_ms is null or gap_ms >= 1800000) over steps)::integer as session,
        row_number() over steps as n
    from spaced
    window steps as (partition by subject order by occurred_ms, message_key)
)

select
    *,
    lead(occurred_ms) over (partition by subject, session order by n) as next_ms
from cut;
