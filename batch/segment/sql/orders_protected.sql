-- orders_protected: lines of orders that price-drop protection looks at (PRI-14), each with
-- what was paid. An order counts once, by its key; lines that went back are out.
-- One row per order and product. Reads order_events.
create or replace table orders_protected as

with orders as (
    select subject, order_key, min(occurred_ms) as at_ms, arg_min(items, occurred_ms) as items, arg_min(currency, occurred_ms) as currency
    from order_events
    where kind = getvariable('kinds').order_completed and order_key <> 0
    group by subject, order_key
),

lines as (
    select
        o.subject, o.order_key, o.at_ms, coalesce(o.currency, '') as currency, i.product_id,
        sum(greatest(i.quantity, 1))::bigint as quantity, max(i.price_cents)::bigint as paid_cents
    from orders as o, unnest(o.items) as u (i)
    where i.price_cents > 0
    group by all
),

undone as (
    select subject, order_key, product_id
    from (
        select subject, order_key, unnest(if(len(items) > 0 and kind = getvariable('kinds').order_refunded, items, [null])).product_id as product_id
        from order_events
        where kind in (getvariable('kinds').order_refunded, getvariable('kinds').order_cancelled)
    )
    group by all
)

select l.*
from lines as l
where not exists (
    select 1 from undone as u
    where u.subject = l.subject and u.order_key = l.order_key and coalesce(u.product_id, l.product_id) = l.product_id
);
