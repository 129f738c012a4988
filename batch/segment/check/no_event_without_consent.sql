-- No daily row in tonight's features of a subject whose consent is not in force, or
-- with an event from before it began (BAT-01, BAT-02, BAT-03).
with wrong as (
    select d.day, d.subject, n.state
    from daily_rows as d
    left join signatures as n using (subject)
    where d.day >= getvariable('as_of_day') - 90 and d.day < getvariable('as_of_day')
      and (coalesce(n.state, 'unknown') <> 'given' or n.restricted or d.first_ms < n.since_ms)
)

select w.day, w.state, count(*) as subjects
from wrong as w
left join persons as p using (subject)
where coalesce(p.person, w.subject) in (select person from windows)
group by w.day, w.state
order by w.day, w.state;
