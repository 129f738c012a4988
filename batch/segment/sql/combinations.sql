-- combinations: which segments and value tiers occur together, of persons whom the day reads
-- something about.
-- One row per combination, numbered from 0. Reads crowds.
create or replace table combinations as

select row_number() over (order by segments, value_tier)::integer - 1 as combination, segments, value_tier
from (
    select distinct segments, value_tier
    from crowds
    where value_tier > 0 or segments is not null
);
