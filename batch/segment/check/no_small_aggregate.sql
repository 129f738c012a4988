-- No published cell of an aggregate is of fewer than k persons, tells more than a multiple of
-- k, or is of persons who all share something sensitive; no member of a segment is in none,
-- for what is left out can be told from the segment's size (EXP-07). The cells are those that
-- were written.
select w.segment, w.value_tier_from, w.value_tier_to, w.daypart, w.persons_at_least
from aggregates_written as w
left join aggregates as a using (segment, value_tier_from, value_tier_to, daypart)
where coalesce(a.persons, 0) < getvariable('k')
   or a.plain = 0
   or w.persons_at_least > a.persons
   or w.persons_at_least % getvariable('k') <> 0
   or w.persons_at_least < getvariable('k')
union all
select a.segment, null, null, 'all', sum(a.persons)
from aggregates as a
left join aggregates_written as w using (segment, value_tier_from, value_tier_to, daypart)
group by a.segment
having sum(a.persons) <> (select count(*) from members as m where m.segment = a.segment)
    or count(*) filter (where w.segment is null) > 0
order by all;
