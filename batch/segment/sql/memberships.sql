-- memberships: which segments each person is in, a bit for each by its place.
-- One row per person in any segment. Reads members, segment_names.
create or replace table memberships as

select m.person, bitstring_agg(s.place, 0, getvariable('last_place')) as segments
from members as m
join segment_names as s using (segment)
group by m.person;
