-- learners: whose rows a model may be made from tonight, for which purpose, and since
-- when. Training needs a yes of its own (BAT-08), tests theirs (VAR-03); offers rest on
-- adviser_assist, contents on personalisation_content. Whoever restricted it, is under 16,
-- or objected to it as one of the person's subjects (EXP-03), is out, and who decided or
-- became another person since days were summed. Of the other purposes only those are here
-- for whom a lot was drawn, with all subjects of the person.
-- One row per subject and purpose. Reads standings_now, subjects_now, purposes, persons,
-- objectors, left_out, offered, contents.
create or replace table learners as

with stopped as (
    select p.subject, o.purpose
    from objectors as o
    join persons as p using (person)
    where o.objected
),

with_lot as (
    select p.person
    from persons as p
    where p.subject in (select subject from offered union all select subject from contents)
)

select s.subject, p.purpose, s.since_ms
from standings_now as s
join purposes as p on p.bit = s.bit
join subjects_now as u on u.subject = s.subject
left join stopped as x on x.subject = s.subject and x.purpose = p.purpose
where (p.purpose = 'model_training' or p.purpose in ('experimentation', 'adviser_assist', 'personalisation_content')
        and s.subject in (select d.subject from persons as d where d.person in (select person from with_lot)))
    and p.runs
    and s.status in ('given', 'renewed')
    and not u.restricted
    and x.subject is null
    and u.age <> 'u16'
    and s.subject not in (select l.subject from persons as l join left_out using (person));
