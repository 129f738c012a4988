-- No number of tonight's differs by fewer than k from the last night's number of the same
-- group: whoever knows both reports would know who came or went (EXP-07). Cells of aggregates,
-- and sizes of segments whose predicate is still the same.
select 'cell' as what, w.segment, w.persons_at_least as tonight, b.persons_at_least as before
from aggregates_written as w
join aggregates_before as b using (segment, value_tier_from, value_tier_to, daypart)
where w.persons_at_least <> b.persons_at_least and abs(w.persons_at_least - b.persons_at_least) < getvariable('k')
union all
select 'size' as what, c.segment, c.members as tonight, t.members as before
from cells as c
join told_before as t using (segment)
where c.members <> t.members and abs(c.members - t.members) < getvariable('k')
order by all;
