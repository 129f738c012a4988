-- bought_before: who bought within the days before a fall of the public price by a tenth or
-- more (R48). The shop knows which of them are businesses.
-- One row per fall, order and product. Reads orders_protected, prices.
create or replace table bought_before as

with falls as (
    select
        *,
        lag(gross_cents) over series as was_cents,
        lag(to_ms) over series as was_to_ms
    from prices
    window series as (partition by product_id, storefront, channel, currency order by from_ms)
),

steep as (
    select product_id, storefront, channel, currency, from_ms, was_cents, gross_cents as now_cents
    from falls
    where was_to_ms = from_ms and (was_cents - gross_cents) * 10 >= was_cents and gross_cents < was_cents
        and storefront = getvariable('protect_storefront') and channel = getvariable('protect_channel')
        and from_ms <= getvariable('read_ms')
)

select
    o.order_key, o.subject, o.product_id, o.quantity, o.paid_cents,
    make_timestamp_ms(o.at_ms) as bought_at, f.was_cents, f.now_cents, make_timestamp_ms(f.from_ms) as fell_at
from orders_protected as o
join steep as f
    on f.product_id = o.product_id and (o.currency = '' or f.currency = o.currency)
    and o.at_ms < f.from_ms and o.at_ms >= f.from_ms - getvariable('before_ms')
order by fell_at, o.product_id, o.order_key, o.subject;
