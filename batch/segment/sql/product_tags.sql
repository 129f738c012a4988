-- product_tags: the special categories (SPC-01) that a product reveals by its own
-- tags or by those of its category, as bits in the order of special_categories.
-- One row per product that reveals any. Reads products, category_tags.
create or replace table product_tags as

with own as (
    select
        product_id,
        category,
        coalesce(list_sum(list_transform(
            list_distinct(list_filter(tags, lambda t: list_contains(getvariable('special_categories'), t))),
            lambda t: 1::bigint << (list_position(getvariable('special_categories'), t) - 1)::bigint
        )), 0)::bigint as tags
    from products
)

select o.product_id, (o.tags | coalesce(c.tags, 0))::bigint as tags
from own as o
left join category_tags as c using (category)
where o.tags | coalesce(c.tags, 0) <> 0;
