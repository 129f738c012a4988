-- candidates: who may leave through which channel, with which segments, by the case of their kind.
-- One row per person and channel, and one more for special segments. Reads person_facts,
-- kind_cases.
create or replace view candidates as

select c.channel, p.person, p.segments & c.segments as segments, c.case_no
from person_facts as p
join kind_cases as c using (kind)
where bit_count(p.segments & c.segments) > 0;
