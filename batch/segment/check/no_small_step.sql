-- No number of persons that the report tells is between two steps of k, or differs by fewer
-- than k from what the last report told under its name: whoever knows both would know who came
-- or went (EXP-07). No figure of persons is told anew where the number that it is of is told
-- again; in a section that is told as one: where all of its numbers are, and it is about the
-- same. Cells of aggregates move by k, too. All are read back from what was written.
select 'cell of ' || w.segment as what, w.persons_at_least as tonight, b.persons_at_least as before
from aggregates_written as w
join aggregates_before as b using (segment, value_tier_from, value_tier_to, daypart)
where w.persons_at_least <> b.persons_at_least and abs(w.persons_at_least - b.persons_at_least) < getvariable('k')
union all
select t.name as what, t.told as tonight, null as before
from report_told as t
where t.told % getvariable('k') <> 0
union all
select t.name as what, t.told as tonight, b.told as before
from report_told as t
join report_before as b using (name)
where b.in_steps and t.told <> b.told and abs(t.told - b.told) < getvariable('k')
union all
select f.name || ' of ' || min(t.name) as what, min(t.told) as tonight, min(b.told) as before
from report_figures as f
join report_figures_before as g using (name, of_name, about)
join report_told as t on t.name = f.of_name
join report_before as b on b.name = f.of_name
where f.figure is distinct from g.figure
group by f.name
having bool_and(b.in_steps and t.told is not distinct from b.told)
order by all;
