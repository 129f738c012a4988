-- baskets: what each session left in the basket. Units and value are sums since the
-- last basis (an order, or a cart report with lines) that never fall below zero: the
-- running sum less the lowest point it had below zero.
-- One row per session with a basket event. Reads sequence.
create or replace table baskets as

with moves as (
    select
        subject, session, n, kind, occurred_ms,
        kind = getvariable('kinds').order_completed or (
            kind in (getvariable('kinds').cart_viewed, getvariable('kinds').checkout_started) and len(items) > 0
        ) as is_basis,
        case kind
            when getvariable('kinds').product_added then 1
            when getvariable('kinds').product_removed then -1
            else 0
        end as sign,
        least(greatest(quantity, 1), 1000) as units,
        least(greatest(price_cents, 0), 1000000000) as cents,
        list_transform(items, lambda i: {
            units: least(greatest(i.quantity, 1), 1000),
            cents: least(greatest(i.price_cents, 0), 1000000000)
        }) as lines,
        cart_cents
    from sequence
    where kind in (
        getvariable('kinds').product_added, getvariable('kinds').product_removed, getvariable('kinds').cart_viewed,
        getvariable('kinds').checkout_started, getvariable('kinds').order_completed
    )
),

steps as (
    select
        subject, session, n, kind, occurred_ms, is_basis, sign,
        case
            when kind = getvariable('kinds').order_completed then 0
            when is_basis then coalesce(list_sum(list_transform(lines, lambda l: l.units)), 0)::bigint
            else sign * units
        end as units,
        case
            when kind = getvariable('kinds').order_completed then 0
            when is_basis and cart_cents > 0 then least(cart_cents, 1000000000)
            when is_basis then coalesce(list_sum(list_transform(lines, lambda l: l.units * l.cents)), 0)::bigint
            else sign * units * cents
        end as cents,
        count(*) filter (where is_basis) over (partition by subject, session order by n) as basis
    from moves
),

summed as (
    select
        *,
        sum(units) over since_basis as units_sum,
        sum(cents) over since_basis as cents_sum
    from steps
    window since_basis as (partition by subject, session, basis order by n)
),

held as (
    select
        subject, session, n, occurred_ms, kind, is_basis, sign, basis,
        (units_sum - least(0, min(units_sum) over since_basis))::bigint as units,
        (cents_sum - least(0, min(cents_sum) over since_basis))::bigint as cents
    from summed
    window since_basis as (partition by subject, session, basis order by n)
),

compared as (
    select
        *,
        coalesce(lag(units) over (partition by subject, session order by n), 0) as units_before,
        max(if(kind = getvariable('kinds').order_completed, n, null)) over (partition by subject, session) as last_order
    from held
)

select
    subject, session,
    count(*) filter (where sign = 1 and n > coalesce(last_order, 0)) as adds,
    count(*) filter (where sign = -1 and n > coalesce(last_order, 0)) as removes,
    arg_max(units, n) as units,
    if(arg_max(units, n) = 0, 0, arg_max(cents, n)) as cents,
    max(occurred_ms) filter (where sign <> 0 or units <> units_before) as changed_ms
from compared
group by subject, session;
