-- sequence: the day's events of each subject in order, cut into sessions by gaps of
-- 30 minutes. A session ends with its ingest day. Only what personalisation_content
-- admits is read. next_ms is the time of the session's next event, if there is one.
-- One row per event. Reads events_personalisation_content.
create or replace table sequence as

with spaced as (
    select
        subject, kind, occurred_ms, gpc, dnt, tag,
        product_id, product_class, price_cents, quantity, items, product_variant, query_key, query_exact, results,
        cart_cents, order_key, hour_band, dwell_ms,
        row_number() over steps as n,
        lag(occurred_ms) over steps as before_ms,
        lead(occurred_ms) over steps as after_ms
    from events_personalisation_content
    window steps as (partition by subject order by occurred_ms, message_key)
)

select
    * exclude (before_ms, after_ms),
    if(after_ms - occurred_ms < 1800000, after_ms, null) as next_ms,
    (count(*) filter (where before_ms is null or occurred_ms - before_ms >= 1800000) over (
        partition by subject order by n
    ))::integer as session
from spaced;
