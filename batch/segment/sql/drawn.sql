-- drawn: what was drawn on the last ingest day, by the shares that it was drawn by, of those
-- whom content_results counts: whoever withdrew from tests is in neither (VAR-03). Of a
-- person who came twice the first draw counts.
-- One row per slot, weights, segment, variant and eligible variants. Reads contents, learning,
-- persons.
create or replace table drawn as

with firsts as (
    select distinct on (p.person, c.slot, c.weights) c.*
    from contents as c
    join persons as p on p.subject = c.subject
    join learning as t on t.person = p.person and t.purpose = 'experimentation' and t.since_ms <= c.at_ms
    join learning as b on b.person = p.person and b.purpose = 'personalisation_content' and b.since_ms <= c.at_ms
    where c.at_ms >= epoch_ms((getvariable('as_of_day') - interval 1 day)::timestamp)
    order by p.person, c.slot, c.weights, c.at_ms, c.decision_id
)

select slot, weights, segment, variant, eligible, count(*) as n
from firsts
group by all
order by all;
