-- No number of tonight's differs by fewer than k from the last night's number of the same
-- group: whoever knows both reports would know who came or went (EXP-07). Cells of aggregates,
-- and of segments whose predicate is still the same sizes, and rows and losses on each channel.
select 'cell' as what, w.segment, w.persons_at_least as tonight, b.persons_at_least as before
from aggregates_written as w
join aggregates_before as b using (segment, value_tier_from, value_tier_to, daypart)
where w.persons_at_least <> b.persons_at_least and abs(w.persons_at_least - b.persons_at_least) < getvariable('k')
union all
select 'size' as what, c.segment, c.members as tonight, t.members as before
from cells as c
join told_before as t using (segment)
where c.members <> t.members and abs(c.members - t.members) < getvariable('k')
union all
select 'rows on ' || r.channel as what, r.segment, r.rows as tonight, b.rows as before
from reaches_told as r
join reaches_before as b using (segment, channel)
where r.rows <> b.rows and abs(r.rows - b.rows) < getvariable('k')
union all
select 'loss on ' || r.channel as what, r.segment, r.loss as tonight, b.loss as before
from reaches_told as r
join reaches_before as b using (segment, channel)
where r.loss <> b.loss and abs(r.loss - b.loss) < getvariable('k')
order by all;
