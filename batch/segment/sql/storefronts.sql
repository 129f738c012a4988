-- storefronts: quotes counted by storefront and channel, and whether equal quotes at one
-- instant got equal prices.
-- One row per storefront and channel. Reads quotes.
create or replace table storefronts as

with groups_of_equals as (
    select storefront, channel, count(distinct cents) as prices
    from quotes
    where impersonal
    group by storefront, channel, alike, decided_at
    having count(*) > 1
),

compared as (
    select storefront, channel, count(*) as instants, count(*) filter (where prices > 1) as unequal
    from groups_of_equals
    group by storefront, channel
)

select
    q.storefront, q.channel,
    count(*) as quotes,
    count(*) filter (where not price_allowed) as price_denied,
    count(*) filter (where claims) as claims,
    count(*) filter (where claims and not claim_allowed) as claim_denied,
    count(*) filter (where personalised) as personalised,
    coalesce(any_value(c.instants), 0) as instants,
    coalesce(any_value(c.unequal), 0) as unequal
from quotes as q
left join compared as c using (storefront, channel)
group by q.storefront, q.channel
order by q.storefront, q.channel;
