-- combinations: which segments and value tiers occur together, of persons whom the day reads
-- something about.
-- One row per combination, numbered from 0. Reads features, memberships.
create or replace table combinations as

select row_number() over (order by segments, value_tier)::integer - 1 as combination, segments, value_tier::integer as value_tier
from (
    select distinct m.segments, f.value_tier
    from features as f
    left join memberships as m using (person)
    where f.value_tier > 0 or m.segments is not null
);
