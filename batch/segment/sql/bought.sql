-- bought: in which categories each person ordered, as far as events are still there. It
-- is what EXP-02 calls similar goods, and empty unless a channel asks for it.
-- One row per person with an order. Reads events_personalisation_content, persons, products.
create or replace table bought as

with lines as (
    select e.subject, unnest(e.items).product_id as product_id
    from events_personalisation_content as e
    where e.kind = getvariable('kinds').order_completed
)

select
    coalesce(p.person, l.subject) as person,
    list_sort(list_distinct(list(d.category))) as categories
from lines as l
left join persons as p using (subject)
join products as d using (product_id)
group by all;
