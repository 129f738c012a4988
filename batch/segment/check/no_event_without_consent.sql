-- No daily row in tonight's features of a subject whose consent is not in force, or
-- with an event from before it began (BAT-01, BAT-02, BAT-03). Reads the standings
-- themselves: what days were built by is made of signatures.
with given as (
    select n.subject, n.since_ms
    from standings_now as n
    join purposes as p on p.bit = n.bit and p.purpose = 'personalisation_content'
    join subjects_now as u using (subject)
    where n.status in ('given', 'renewed') and not u.restricted
),

wrong as (
    select d.day, d.subject, case when g.subject is null then 'not given' else 'not yet given' end as state
    from daily_rows as d
    left join given as g using (subject)
    where d.day >= getvariable('as_of_day') - 90 and d.day < getvariable('as_of_day')
      and (g.subject is null or d.first_ms < g.since_ms)
)

select w.day, w.state, count(*) as subjects
from wrong as w
left join persons as p using (subject)
where coalesce(p.person, w.subject) in (select person from windows)
group by w.day, w.state
order by w.day, w.state;
