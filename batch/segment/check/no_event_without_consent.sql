-- No daily row in tonight's features of a subject whose consent is not in force, or
-- with an event from before it began (BAT-01, BAT-02, BAT-03).
select d.day, n.state, count(*) as subjects
from daily_rows as d
left join persons as p using (subject)
left join signatures as n using (subject)
where coalesce(p.person, d.subject) in (select person from windows)
  and d.day >= getvariable('as_of_day') - 90 and d.day < getvariable('as_of_day')
  and (coalesce(n.state, 'unknown') <> 'given' or n.restricted or d.first_ms < n.since_ms)
group by d.day, n.state
order by d.day, n.state;
