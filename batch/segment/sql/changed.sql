-- changed: subjects for whom the gate may answer otherwise than last night, and the
-- first moment whose events may count for them now (null: none does).
-- Whoever is not one of differing has the signature that it had.
-- One row per such subject. Reads signatures, signatures_before, differing.
create or replace table changed as

with pairs as (
    select coalesce(n.subject, b.subject) as subject, n.subject is not null as held, n.state, n.since_ms
    from (from signatures semi join differing using (subject)) as n
    full join (from signatures_before semi join differing using (subject)) as b using (subject)
    where (n.state, n.since_ms, n.restricted, n.age, n.special_since, n.special_all_since)
        is distinct from (b.state, b.since_ms, b.restricted, b.age, b.special_since, b.special_all_since)
)

select subject, case when held and state = 'given' then since_ms end as may_from_ms
from pairs;
