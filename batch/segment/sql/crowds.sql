-- crowds: persons who are alike in all that is told or decided of them, counted: numbers are
-- made of crowds rather than of persons. buyers ordered in 90 days.
-- One row per segments, value tier, time of day and kind. Reads person_facts.
create or replace table crowds as

select
    segments, value_tier, daypart, kind,
    count(*)::bigint as persons,
    count(spent_cents)::bigint as buyers,
    coalesce(sum(spent_cents), 0)::bigint as net_cents
from person_facts
group by segments, value_tier, daypart, kind;
