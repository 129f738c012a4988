-- drawn: what was drawn on the last ingest day, by the shares that it was drawn by, of those
-- whom content_results counts: whoever withdrew from tests is in neither (VAR-03). Of a
-- person who came twice the first draw counts.
-- One row per slot, weights, segment, variant and eligible variants. Reads known_contents.
create or replace table drawn as

with firsts as (
    select distinct on (person, slot, weights) *
    from known_contents
    where at_ms >= epoch_ms((getvariable('as_of_day') - interval 1 day)::timestamp)
    order by person, slot, weights, at_ms, decision_id
)

select slot, weights, segment, variant, eligible, count(*) as n
from firsts
group by all
order by all;
