-- unmet: per product, the persons who wanted it on the attached days and did not order it
-- (R20), by what showed it: they came to it within 30 minutes of a search without result,
-- looked at it three times or more, opened its size guide, compared it or changed between
-- its variants, left it in a basket, or were offered help while they looked at it. An order
-- that names no products is taken to be of all that the person put into a basket. Whoever
-- wanted and ordered it is counted apart. Sensitive events and products are left out: all
-- who want such a product share something sensitive (EXP-07).
-- One row per product. Reads events_personalisation_content, persons, features, product_tags.
create or replace table unmet as

with acts as (
    select p.person, e.kind, e.occurred_ms, e.message_key, e.product_id, e.results, e.items
    from events_personalisation_content as e
    join persons as p using (subject)
    where e.tag = 'none' and p.person in (select person from features)
        and e.kind in (
            getvariable('kinds').products_searched, getvariable('kinds').product_viewed, getvariable('kinds').size_guide_opened,
            getvariable('kinds').products_compared, getvariable('kinds').variant_selected, getvariable('kinds').product_added,
            getvariable('kinds').adviser_offer_shown, getvariable('kinds').hint_shown, getvariable('kinds').order_completed
        )
),

walked as (
    select
        person, kind, product_id, occurred_ms,
        last_value(if(kind = getvariable('kinds').products_searched, {at_ms: occurred_ms, zero: results = 0}, null) ignore nulls)
            over steps as search,
        last_value(if(kind = getvariable('kinds').product_viewed and product_id <> '', {at_ms: occurred_ms, product_id: product_id}, null) ignore nulls)
            over steps as look
    from acts
    window steps as (partition by person order by occurred_ms, message_key)
),

signs as (
    select
        person,
        case
            when kind not in (getvariable('kinds').adviser_offer_shown, getvariable('kinds').hint_shown) then product_id
            when product_id <> '' then product_id
            when occurred_ms - look.at_ms < 1800000 then look.product_id
        end as product_id,
        kind = getvariable('kinds').product_viewed as viewed,
        kind = getvariable('kinds').product_viewed and coalesce(search.zero and occurred_ms - search.at_ms < 1800000, false) as searched,
        kind = getvariable('kinds').size_guide_opened as guide,
        kind in (getvariable('kinds').products_compared, getvariable('kinds').variant_selected) as compared,
        kind = getvariable('kinds').product_added as added,
        kind in (getvariable('kinds').adviser_offer_shown, getvariable('kinds').hint_shown) as offered,
        false as ordered
    from walked
),

lines as (
    select person, kind, unnest(items).product_id as product_id
    from acts
    where kind in (getvariable('kinds').products_compared, getvariable('kinds').order_completed) and len(items) > 0
),

all_signs as (
    select * from signs
    union all
    select
        person, product_id, false, false, false, kind = getvariable('kinds').products_compared, false, false,
        kind = getvariable('kinds').order_completed
    from lines
),

unnamed_orders as (
    select distinct person
    from acts
    where kind = getvariable('kinds').order_completed and len(items) = 0
),

wants as (
    select
        person, product_id,
        bool_or(searched) as searched,
        count(*) filter (where viewed) >= 3 as returned,
        bool_or(guide) as guide,
        bool_or(compared) as compared,
        bool_or(added) as added,
        bool_or(offered) as offered,
        bool_or(ordered) or (bool_or(added) and person in (from unnamed_orders)) as ordered
    from all_signs
    where product_id <> '' and product_id not in (select t.product_id from product_tags as t)
    group by person, product_id
)

select
    product_id,
    count(*) filter (where not ordered) as persons,
    count(*) filter (where not ordered and searched) as searched,
    count(*) filter (where not ordered and returned) as returned,
    count(*) filter (where not ordered and guide) as guide,
    count(*) filter (where not ordered and compared) as compared,
    count(*) filter (where not ordered and added) as left_there,
    count(*) filter (where not ordered and offered) as no_help,
    count(*) filter (where ordered) as ordered
from wants
where searched or returned or guide or compared or added or offered
group by product_id;
