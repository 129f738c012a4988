-- No two published sizes of which one group holds the other and fewer than k more: their
-- difference would be a cell under k (EXP-07).
with shown as (
    select segment, members
    from cells
    where members is not null
)

select i.segment as inner_one, o.segment as outer_one, o.members - i.members as difference
from shown as i
join shown as o on o.segment <> i.segment and o.members > i.members and o.members - i.members < getvariable('k')
where not exists (
    from members as m
    where m.segment = i.segment
      and m.person not in (select x.person from members as x where x.segment = o.segment)
)
order by inner_one, outer_one;
