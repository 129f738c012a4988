-- refunds: what buyers get back because the public price of what they bought fell within
-- the days of protection after their purchase (PRI-14), whoever they are. Sums are what is
-- due so far; who paid some of it before pays the rest.
-- One row per order and product. Reads orders_protected, prices.
create or replace table refunds as

with later as (
    select
        o.subject, o.order_key, o.product_id, o.quantity, o.paid_cents, o.at_ms,
        min(p.gross_cents) as low_cents, arg_min(p.from_ms, (p.gross_cents, p.from_ms)) as fell_ms
    from orders_protected as o
    join prices as p
        on p.product_id = o.product_id and (o.currency = '' or p.currency = o.currency)
        and p.storefront = getvariable('protect_storefront') and p.channel = getvariable('protect_channel')
        and p.from_ms <= least(o.at_ms + getvariable('protect_ms'), getvariable('read_ms'))
        and p.from_ms > o.at_ms
    where getvariable('protect_ms') > 0
    group by all
)

select
    order_key, subject, product_id, quantity, paid_cents, low_cents, make_timestamp_ms(at_ms) as bought_at,
    make_timestamp_ms(fell_ms) as fell_at, quantity * (paid_cents - low_cents) as refund_cents
from later
where low_cents < paid_cents
order by order_key, subject, product_id;
