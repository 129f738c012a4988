-- learning: the persons whose rows a model may be made from, and since when: all of their
-- subjects that may decide about the purpose said yes, the last of them then. A no on any
-- device is one of the person (CON-14).
-- One row per person and purpose. Reads learners, persons, purposes.
create or replace table learning as

with several as (
    select p.person, p.subject, p.merged
    from persons as p
    where p.person in (select person from persons where merged)
),

asked as (
    select v.person, v.subject, q.purpose
    from several as v
    cross join purposes as q
    where q.purpose in ('model_training', 'experimentation', 'adviser_assist', 'personalisation_content') and (v.merged or q.reach <> 'device')
)

select subject as person, purpose, since_ms
from learners
where subject not in (select subject from several)
union all
select a.person, a.purpose, max(l.since_ms) as since_ms
from asked as a
left join learners as l on l.subject = a.subject and l.purpose = a.purpose
group by a.person, a.purpose
having bool_and(l.subject is not null);
