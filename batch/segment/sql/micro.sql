-- micro: the group of buyers that each is nearest to, by the logarithm of one more than
-- recency, frequency and money, in the spreads that the groups were found with; of equally
-- near ones the first. Nobody is in a group with fewer than k members, nor in one without
-- a label.
-- One row per person in a group. Reads buyers; variables micro_centres, micro_spread.
create or replace table micro as

with placed as (
    select
        person,
        list_transform(getvariable('micro_centres'), lambda c:
            pow((ln(1 + days_since_order) - c.recency) / getvariable('micro_spread').recency, 2)
            + pow((ln(1 + orders) - c.frequency) / getvariable('micro_spread').frequency, 2)
            + pow((ln(1 + cents) - c.money) / getvariable('micro_spread').money, 2)
        ) as gaps
    from buyers
),

named as (
    select person, getvariable('micro_centres')[list_position(gaps, list_min(gaps))].label::bigint as micro_segment
    from placed
    where len(gaps) > 0
)

select person, micro_segment
from named
where micro_segment > 0
qualify count(*) over (partition by micro_segment) >= getvariable('k');
