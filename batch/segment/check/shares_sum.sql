-- The shares of a slot's variants sum to a million.
select slot, segment, sum(ppm)::bigint as ppm
from shares
group by slot, segment
having sum(ppm) <> 1000000 or min(ppm) <= 0
order by slot, segment;
