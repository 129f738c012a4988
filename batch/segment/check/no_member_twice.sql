-- Nobody is in a segment twice.
select segment, count(*) as members, count(distinct person) as persons
from members
group by segment
having count(*) <> count(distinct person)
order by segment;
