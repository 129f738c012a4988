-- kinds: what the export gate asks of persons, each combination that occurs with a number.
-- person_facts then have the number in place of the facts.
-- One row per kind of person. Reads person_facts.
create or replace table kinds as

select
    row_number() over (order by account, restricted, age, gpc, dnt, tag, standings, refusals, objections, ordered, alike)::integer as kind,
    *
from (
    select distinct account, restricted, age, gpc, dnt, tag, standings, refusals, objections, ordered, alike
    from person_facts
);

create or replace table person_facts as
select p.person, p.segments, p.value_tier, p.daypart, p.spent_cents, k.kind
from person_facts as p
join kinds as k using (account, restricted, age, gpc, dnt, tag, standings, refusals, objections, ordered, alike);
