-- quotes: the price decisions of the log. A quote is impersonal when its price may not
-- depend on who asks: a static or market price without a reduction for one person. Two
-- impersonal quotes at one instant are equal when all but their prices is.
-- One row per decision. Reads price_decisions.
create or replace table quotes as

with read as (
    select
        decided_at,
        input->'quote' as q,
        (result->>'price_allowed')::boolean as price_allowed,
        (result->>'claim_allowed')::boolean as claim_allowed,
        (input->>'$.facts.rose')::boolean as rose,
        (result->'rules')::varchar[] as rules
    from price_decisions
    where json_type(input, '$.quote') = 'OBJECT'
)

select
    decided_at,
    q->>'storefront' as storefront,
    q->>'channel' as channel,
    price_allowed,
    claim_allowed,
    coalesce(q->>'$.announcement.kind', 'none') <> 'none' as claims,
    q->>'basis' = 'personalised' as personalised,
    if(price_allowed, [], rules) as price_rules,
    if(claim_allowed, [], rules) as claim_rules,
    case
        when price_allowed then (q->>'offer_cents')::bigint
        when rose then least((q->>'list_cents')::bigint, (q->>'$.promises.shown_cents')::bigint)
        else (q->>'list_cents')::bigint
    end as cents,
    q->>'basis' in ('static', 'dynamic_market')
        and not list_contains(q->>'$.reductions[*].audience', 'individual') as impersonal,
    [q->>'product_id', q->>'storefront', q->>'channel', q->>'currency', q->>'customer', q->>'vat_bp', q->>'basis',
        (q->'inputs')::varchar, (q->'reductions')::varchar] as alike
from read;
