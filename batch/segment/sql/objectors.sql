-- objectors: who objected to a purpose (Art. 21, as consent.State.Objected judges), and
-- for whom the suppression list closes its channel (EXP-03). An objection of one
-- subject is one of the whole person.
-- One row per person and purpose that is stopped. Reads persons, subjects_now, purposes.
create or replace table objectors as

with said as (
    select
        p.person,
        list_distinct(flatten(list(u.objections))) as objections,
        list_distinct(flatten(list(u.suppressed))) as suppressed
    from persons as p
    join subjects_now as u using (subject)
    where len(u.objections) + len(u.suppressed) > 0
    group by p.person
),

judged as (
    select
        s.person,
        o.purpose,
        (o.medium <> '' and list_contains(s.objections, 'direct_marketing'))
            or (o.profiles and list_contains(s.objections, 'profiling'))
            or list_contains(s.objections, 'direct_marketing:' || o.purpose)
            or list_contains(s.objections, 'li:' || o.purpose) as objected,
        o.medium <> '' and (list_contains(s.suppressed, o.medium) or list_contains(s.suppressed, 'all')) as suppressed
    from said as s
    cross join purposes as o
)

select person, purpose, objected, suppressed
from judged
where objected or suppressed;
